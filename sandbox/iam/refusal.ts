/** Refusals as each service words them. @see https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html */
import { AwsError } from '../aws-error.ts';
import type { AccessRequest, Denial, Refusal } from './judge.ts';

/** KMS, Secrets Manager and DynamoDB. */
export const jsonRefusal: Refusal = (request, denial) => new AwsError(400, 'AccessDeniedException', refusalSentence(request, denial));

export const lambdaRefusal: Refusal = (request, denial) =>
  new AwsError(403, 'AccessDeniedException', refusalSentence(request, denial), { Type: 'User' });

/** STS and CloudFormation. */
export const queryRefusal: Refusal = (request, denial) => new AwsError(403, 'AccessDenied', refusalSentence(request, denial));

/** IAM calls a role by its name: `on resource: role NAME`. */
export const iamRefusal: Refusal = (request, denial) => {
  const role = /:role\/(.+)$/.exec(request.resource)?.[1];
  const named = role === undefined ? undefined : `on resource: role ${role}`;
  return new AwsError(403, 'AccessDenied', refusalSentence(request, denial, named));
};

/** SQS writes actions in lower case: https://github.com/aws/serverless-application-model/issues/3633. */
export const sqsRefusal: Refusal = (request, denial) =>
  new AwsError(403, 'AccessDeniedException', refusalSentence({ ...request, action: request.action.toLowerCase() }, denial));

/**
 * `User: … is not authorized to perform: … on resource: …`, and why.
 * @param named how the message names the resource; its ARN unless given
 */
export function refusalSentence(request: AccessRequest, denial: Denial, named = `on resource: ${request.resource}`): string {
  const { principal, action } = request;
  const who = 'service' in principal ? principal.service : principal.arn;
  return `User: ${who} is not authorized to perform: ${action} ${named} ${reasonOf(action, denial)}`;
}

function reasonOf(action: string, { explicit, by }: Denial): string {
  if (explicit) return `with an explicit deny in ${by === 'identity' ? 'an' : 'a'} ${by}-based policy`;
  return `because no ${by}-based policy allows the ${action} action`;
}
