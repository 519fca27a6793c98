/** IAM's errors. @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html#API_GetRole_Errors */
import { AwsError } from '../aws-error.ts';

export const roleNotFound = (name: string) => new AwsError(404, 'NoSuchEntity', `The role with name ${name} cannot be found.`);
export const policyNotFound = (name: string) => new AwsError(404, 'NoSuchEntity', `The role policy with name ${name} cannot be found.`);
export const principalNotFound = (arn: string) => new AwsError(404, 'NoSuchEntity', `${arn} does not exist.`);
export const unsupportedParameter = (name: string) => new AwsError(501, 'NotImplemented', `The sandbox does not implement ${name}.`);
