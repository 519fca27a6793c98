/** KMS's errors in KMS's words. @see https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html#API_Decrypt_Errors */
import { AwsError } from '../aws-error.ts';

const error = (code: string, message: string) => new AwsError(400, code, message);

export const notFound = (message: string) => error('NotFoundException', message);
export const disabled = (arn: string) => error('DisabledException', `${arn} is disabled.`);
export const pendingDeletion = (arn: string) => error('KMSInvalidStateException', `${arn} is pending deletion.`);
export const notPendingDeletion = (arn: string) => error('KMSInvalidStateException', `${arn} is not pending deletion.`);
export const invalidCiphertext = () => error('InvalidCiphertextException', '');
export const incorrectKey = () =>
  error('IncorrectKeyException', 'The key ID in the request does not identify a CMK that can perform this operation.');
export const unsupported = (message: string) => error('UnsupportedOperationException', message);
export const validation = (message: string) => error('ValidationException', message);
export const invalidAlias = (message: string) => error('InvalidAliasNameException', message);
export const aliasExists = (arn: string) => error('AlreadyExistsException', `An alias with the name ${arn} already exists`);
export const malformedPolicy = (why: string) => error('MalformedPolicyDocumentException', `The new key policy is not valid. ${why}`);
export const invalidPrincipals = () =>
  error('MalformedPolicyDocumentException', 'Policy contains a statement with one or more invalid principals.');
export const lockedOut = () =>
  error('MalformedPolicyDocumentException', 'The new key policy will not allow you to update the key policy in the future.');
export const invalidMarker = () => error('InvalidMarkerException', 'The marker is not one that an earlier answer gave.');
export const unknownCiphertextKey = () =>
  error(
    'AccessDeniedException',
    'The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.',
  );
