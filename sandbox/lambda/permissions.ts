/** The policy of a function: who may invoke it beside the account's own identities (`AWS::Lambda::Permission`). */
import { ACCOUNT_ID } from '../account.ts';
import { type PolicyDocument, parsePolicy } from '../iam/policy.ts';

/** @see https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html */
export interface Permission {
  functionArn: string;
  /** e.g. `lambda:InvokeFunction` */
  action: string;
  /** A service such as `apigateway.amazonaws.com`, an account id, an ARN or `*`. */
  principal: string;
  /** May hold wildcards. */
  sourceArn: string | null;
  sourceAccount: string | null;
}

export interface Permissions {
  /** Creates or replaces the permission `id`. @throws PolicyError */
  put(id: string, permission: Permission): void;
  remove(id: string): void;
  /** `null`: the function has none. */
  policyOf(functionArn: string): PolicyDocument | null;
}

/** What a service of AWS must bring to invoke a function for one of its resources. */
export function sourceContext(sourceArn: string): Record<string, string> {
  return { 'aws:SourceArn': sourceArn, 'aws:SourceAccount': ACCOUNT_ID };
}

export function createPermissions(): Permissions {
  const all = new Map<string, Permission>();
  const compiled = new Map<string, PolicyDocument | null>();
  return {
    put(id, permission) {
      parsePolicy(documentOf([[id, permission]]), 'resource');
      all.set(id, permission);
      compiled.clear();
    },
    remove(id) {
      all.delete(id);
      compiled.clear();
    },
    policyOf(functionArn) {
      const known = compiled.get(functionArn);
      if (known !== undefined) return known;
      const own = [...all].filter(([, permission]) => permission.functionArn === functionArn);
      const policy = own.length === 0 ? null : parsePolicy(documentOf(own), 'resource');
      compiled.set(functionArn, policy);
      return policy;
    },
  };
}

function documentOf(permissions: readonly (readonly [id: string, permission: Permission])[]): object {
  return { Version: '2012-10-17', Statement: permissions.map(([id, permission]) => statementOf(id, permission)) };
}

function statementOf(id: string, { functionArn, action, principal, sourceArn, sourceAccount }: Permission): object {
  const Condition = {
    ...(sourceArn === null ? {} : { ArnLike: { 'aws:SourceArn': sourceArn } }),
    ...(sourceAccount === null ? {} : { StringEquals: { 'aws:SourceAccount': sourceAccount } }),
  };
  return {
    Sid: id,
    Effect: 'Allow',
    Principal: principalOf(principal),
    Action: action,
    Resource: functionArn,
    ...(Object.keys(Condition).length === 0 ? {} : { Condition }),
  };
}

function principalOf(principal: string): unknown {
  if (principal === '*') return '*';
  return principal.endsWith('.amazonaws.com') ? { Service: principal } : { AWS: principal };
}
