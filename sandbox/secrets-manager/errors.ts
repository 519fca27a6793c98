/** Secrets Manager's errors. @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html#API_GetSecretValue_Errors */
import { AwsError } from '../aws-error.ts';

const error = (code: string, message: string) => new AwsError(400, code, message);

export const secretNotFound = () => error('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
export const valueNotFound = (what: string) =>
  error('ResourceNotFoundException', `Secrets Manager can't find the specified secret value for ${what}`);
export const versionNotFound = () => error('ResourceNotFoundException', "Secrets Manager can't find the specified secret version.");
export const markedForDeletion = () =>
  error('InvalidRequestException', "You can't perform this operation on the secret because it was marked for deletion.");
export const alreadyScheduled = () =>
  error('InvalidRequestException', "You can't perform this operation on the secret because it was already scheduled for deletion.");
export const nameScheduledForDeletion = () =>
  error('InvalidRequestException', "You can't create this secret because a secret with this name is already scheduled for deletion.");
export const secretExists = (name: string) =>
  error('ResourceExistsException', `The operation failed because the secret ${name} already exists.`);
export const versionExists = () => error('ResourceExistsException', 'A resource with the ID you requested already exists.');
export const tooManyLabels = (limit: number) =>
  error('LimitExceededException', `The request exceeds the limit of ${limit} staging labels attached across all versions of a secret.`);
export const invalidParameter = (message: string) => error('InvalidParameterException', message);
export const invalidRequest = (message: string) => error('InvalidRequestException', message);
export const invalidNextToken = () => error('InvalidNextTokenException', 'The NextToken value is invalid.');
/** Seen at https://github.com/mongodb/mongodbatlas-cloudformation-resources/issues/982 */
export const keyDenied = () => error('AccessDeniedException', 'Access to KMS is not allowed');
export const malformedPolicy = (why: string) => error('MalformedPolicyDocumentException', `This resource policy is not valid. ${why}`);
export const publicPolicy = () =>
  error(
    'PublicPolicyException',
    'The BlockPublicPolicy parameter is set to true, and the resource policy did not prevent broad access to the secret.',
  );
export const encryptionFailure = () =>
  error(
    'EncryptionFailure',
    "Secrets Manager can't encrypt the protected secret text using the provided KMS key. Check that the KMS key is available, enabled, and not in an invalid state.",
  );
export const decryptionFailure = () =>
  error('DecryptionFailure', "Secrets Manager can't decrypt the protected secret text using the provided KMS key.");
