/**
 * What a principal's own policies say of actions, without any resource's policy.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
 */
import { ADMINISTRATOR_ARN } from '../account.ts';
import type { Principal } from '../service.ts';
import type { Content, Form } from '../wire/query-service.ts';
import { type Access, roleArn } from './access.ts';
import { conditionKey } from './condition-keys.ts';
import { principalNotFound, unsupportedParameter } from './errors.ts';
import type { Decision, RequestContext } from './judge.ts';
import { userIdOf } from './unique-id.ts';

type EvalDecision = 'allowed' | 'implicitDeny' | 'explicitDeny';

const UNSUPPORTED = ['PolicyInputList.member.1', 'PermissionsBoundaryPolicyInputList.member.1', 'ResourcePolicy', 'ResourceHandlingOption'];
/** The most restrictive one counts. */
const SEVERITY: readonly EvalDecision[] = ['explicitDeny', 'implicitDeny', 'allowed'];

/**
 * One result an action, its decision the most restrictive of all resources.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html
 */
export function simulate(access: Access, form: Form): Content[] {
  const unsupported = UNSUPPORTED.find((name) => form.text(name) !== null);
  if (unsupported !== undefined) throw unsupportedParameter(unsupported);
  const principal = principalOf(access, form.required('PolicySourceArn'));
  const given = form.texts('ResourceArns');
  const resources = given.length === 0 ? ['*'] : given;
  const context = contextOf(form);
  return form.texts('ActionNames').map((action) => {
    const decisions = resources.map((resource) => {
      const decision = access.judge.decide({ principal, action, resource, context, resourcePolicy: null });
      return { EvalResourceName: resource, EvalResourceDecision: nameOf(decision), MatchedStatements: [], MissingContextValues: [] };
    });
    return {
      EvalActionName: action,
      EvalResourceName: resources.length === 1 ? (resources[0] ?? '*') : '*',
      EvalDecision: SEVERITY.find((one) => decisions.some(({ EvalResourceDecision }) => EvalResourceDecision === one)) ?? 'implicitDeny',
      MatchedStatements: [],
      MissingContextValues: [],
      ResourceSpecificResults: decisions,
    };
  });
}

/** Throws `NoSuchEntity`. */
function principalOf(access: Access, arn: string): Principal {
  if (arn === ADMINISTRATOR_ARN) return { arn, roleArn: null, userId: userIdOf(arn, null), accessKeyId: '' };
  const role = access.findRole(arn);
  if (role === null || role.arn !== arn) throw principalNotFound(arn);
  const session = `${arn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/simulation`;
  return { arn: session, roleArn: roleArn(role.name), userId: userIdOf(session, arn), accessKeyId: '' };
}

/** Keys that no policy can ask for are of no consequence. */
function contextOf(form: Form): RequestContext {
  const entries = form.forms('ContextEntries').flatMap((entry) => {
    const known = conditionKey(entry.required('ContextKeyName'));
    return known === null ? [] : [[known.name, entry.texts('ContextKeyValues')] as const];
  });
  return Object.fromEntries(entries);
}

function nameOf(decision: Decision): EvalDecision {
  if (decision.allowed) return 'allowed';
  return decision.explicit ? 'explicitDeny' : 'implicitDeny';
}
