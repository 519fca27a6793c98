/**
 * IAM on the wire, as far as it takes to look at roles and to ask what their policies allow.
 *
 * What it does not do (2026-11-21): changing anything (deployments do), users, groups, managed policies, custom policies in a
 * simulation, and the simulator's account of matched statements and missing context values.
 */
import type { Service } from '../service.ts';
import { type Content, createQueryService, type Form } from '../wire/query-service.ts';
import { type Access, type RoleRecord, roleArn } from './access.ts';
import { policyNotFound, roleNotFound } from './errors.ts';
import { iamRefusal } from './refusal.ts';
import { simulate } from './simulate.ts';

type IamOperation = 'GetRole' | 'GetRolePolicy' | 'ListAttachedRolePolicies' | 'ListRolePolicies' | 'SimulatePrincipalPolicy';

const SESSION_SECONDS = 3600;
/** When a role was made is not kept. */
const CREATED = '2026-01-01T00:00:00Z';

export function createIam(access: Access): Service {
  const roleOf = (form: Form) => [roleArn(form.required('RoleName'))];

  /** Throws `NoSuchEntity`. */
  function requireRole(form: Form): RoleRecord {
    const name = form.required('RoleName');
    const role = access.findRole(name);
    if (role === null) throw roleNotFound(name);
    return role;
  }

  return createQueryService<IamOperation>({
    service: 'iam',
    namespace: 'https://iam.amazonaws.com/doc/2010-05-08/',
    judge: access.judge,
    refusal: iamRefusal,
    operations: {
      GetRole: { action: 'iam:GetRole', resources: roleOf, run: (form) => ({ Role: describe(requireRole(form)) }) },
      ListRolePolicies: {
        action: 'iam:ListRolePolicies',
        resources: roleOf,
        run: (form) => ({ PolicyNames: Object.keys(requireRole(form).policies), IsTruncated: false }),
      },
      ListAttachedRolePolicies: {
        action: 'iam:ListAttachedRolePolicies',
        resources: roleOf,
        run(form) {
          requireRole(form);
          return { AttachedPolicies: [], IsTruncated: false };
        },
      },
      GetRolePolicy: {
        action: 'iam:GetRolePolicy',
        resources: roleOf,
        run(form) {
          const { name, policies } = requireRole(form);
          const PolicyName = form.required('PolicyName');
          if (!Object.hasOwn(policies, PolicyName)) throw policyNotFound(PolicyName);
          return { RoleName: name, PolicyName, PolicyDocument: encoded(policies[PolicyName]) };
        },
      },
      SimulatePrincipalPolicy: {
        action: 'iam:SimulatePrincipalPolicy',
        resources: (form) => [form.required('PolicySourceArn')],
        run: (form) => ({ EvaluationResults: simulate(access, form), IsTruncated: false }),
      },
    },
  });
}

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html */
function describe({ name, arn, roleId, trustPolicy }: RoleRecord): Record<string, Content> {
  return {
    Path: '/',
    RoleName: name,
    RoleId: roleId,
    Arn: arn,
    CreateDate: CREATED,
    AssumeRolePolicyDocument: encoded(trustPolicy),
    MaxSessionDuration: SESSION_SECONDS,
  };
}

/** IAM gives documents percent-encoded. */
function encoded(document: unknown): string {
  return encodeURIComponent(JSON.stringify(document));
}
