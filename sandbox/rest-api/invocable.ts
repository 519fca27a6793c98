/** Whether a function lets the gateway invoke it: by an `AWS::Lambda::Permission` for the method or authorizer. */
import { ACCOUNT_ID, PARTITION, REGION } from '../account.ts';
import { AwsError } from '../aws-error.ts';
import type { Functions } from '../lambda/index.ts';
import type { Api, Method } from './model.ts';

const SERVICE = 'apigateway.amazonaws.com';

/** @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html */
export function methodSource({ id, stage }: Api, { httpMethod, resourcePath }: Method): string {
  return `arn:${PARTITION}:execute-api:${REGION}:${ACCOUNT_ID}:${id}/${stage}/${httpMethod === 'ANY' ? '*' : httpMethod}${resourcePath}`;
}

export function authorizerSource({ id }: Api, authorizerId: string): string {
  return `arn:${PARTITION}:execute-api:${REGION}:${ACCOUNT_ID}:${id}/authorizers/${authorizerId}`;
}

export function mayInvoke(functions: Functions, functionArn: string, sourceArn: string): boolean {
  try {
    functions.requireInvocable(functionArn, { service: SERVICE, sourceArn });
    return true;
  } catch (error) {
    if (error instanceof AwsError && error.code === 'AccessDeniedException') return false;
    throw error;
  }
}
