/** IAM principals as the gateway names them, and as policy.yml does. Pure. */

/** A role or a user; its path may stand before its name. */
export const PRINCIPAL_ARN = /^arn:aws[a-z-]*:iam::\d{12}:(role|user)\/(?:[\x21-\x7e]+\/)?[\w+=,.@-]+$/;

const SESSION_ARN = /^arn:(aws[a-z-]*):sts::(\d{12}):assumed-role\/([\w+=,.@-]+)\/[\w+=,.@-]+$/;

/**
 * The principal that rules can name behind whoever signed a request.
 * @param userArn the gateway's `identity.userArn`: of a user, or of a session of a role
 * @returns `null`: neither, such as the root user or a federated one
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html#context-variable-reference
 */
export function iamPrincipal(userArn: string): string | null {
  const [, partition, account, role] = SESSION_ARN.exec(userArn) ?? [];
  if (role !== undefined) return `arn:${partition}:iam::${account}:role/${role}`;
  return PRINCIPAL_ARN.test(userArn) && userArn.includes(':user/') ? userArn : null;
}

/** A session does not tell its role's path; names are unique in an account all the same: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html */
export function samePrincipal(named: string, principal: string): boolean {
  return withoutPath(named) === withoutPath(principal);
}

function withoutPath(arn: string): string {
  return arn.replace(/:(role|user)\/.*\//, ':$1/');
}
