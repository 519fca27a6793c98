/**
 * Whether a request is allowed: what every service of the sandbox asks before it does anything.
 *
 * What it does not do (2026-11-21): permissions boundaries, session and service control policies, VPC endpoint policies,
 * managed policies, other accounts, grants, tags of principals, policy variables, date, IP address and binary conditions,
 * and condition keys other than those in `condition-keys.ts`. A policy with any of them is an error when it is put.
 * Principals of a policy are kept by name, so that a role that is made again gets its rights again.
 */
import { ACCOUNT_ID, PARTITION, REGION } from '../account.ts';
import type { AwsError } from '../aws-error.ts';
import type { Principal } from '../service.ts';
import type { Values } from './condition.ts';
import type { PolicyDocument, Statement } from './policy.ts';
import type { Principals } from './principals.ts';

/** A service of AWS that acts for itself, e.g. `s3.amazonaws.com` when it sends an event. */
export interface ServicePrincipal {
  service: string;
}

/**
 * Values of the request's condition keys, named as in `condition-keys.ts` (of `kms:EncryptionContext:NAME`, the name in
 * lower case); a key that the request does not have is not there.
 */
export type RequestContext = Readonly<Record<string, string | readonly string[]>>;

export interface AccessRequest {
  principal: Principal | ServicePrincipal;
  /** e.g. `s3:PutObject` */
  action: string;
  /** ARN, or `*` for actions without a resource. */
  resource: string;
  /** Beyond what is known of the principal (`aws:PrincipalArn`, `aws:PrincipalAccount`, `aws:userid` …). */
  context: RequestContext;
  /** The resource's own policy, `null` when it has none. */
  resourcePolicy: PolicyDocument | null;
}

/**
 * Which policies can allow a caller of the resource's own account: either kind, or the resource's first of all, alone or by
 * handing the decision to the account (KMS keys).
 */
export type Rule = 'identity-or-resource' | 'key';

export type Denial = { allowed: false; explicit: boolean; by: 'identity' | 'resource' };
/** `by` names the kind of policy that denies, or that lacks the Allow. */
export type Decision = { allowed: true } | Denial;

/** Words a refusal as the service that was asked does: its code, status and message. */
export type Refusal = (request: AccessRequest, denial: Denial) => AwsError;

export interface Judge {
  decide(request: AccessRequest, rule?: Rule): Decision;
  allows(request: AccessRequest, rule?: Rule): boolean;
  /** @throws AwsError that `refusal` makes, unless the request is allowed */
  require(request: AccessRequest, refusal: Refusal, rule?: Rule): void;
}

/** Where identity policies come from. */
export interface Identities {
  /** `null`: the principal is not there (any more). */
  policiesOf(principal: Principal): readonly PolicyDocument[] | null;
}

const ALLOWED: Decision = { allowed: true };
/** The account itself: as a principal of a policy it stands for all that the account lets in. */
export const ACCOUNT_ROOT_ARN = `arn:${PARTITION}:iam::${ACCOUNT_ID}:root`;
const NONE: readonly string[] = [];

/** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html */
export function openJudge(identities: Identities): Judge {
  function decide(request: AccessRequest, rule: Rule = 'identity-or-resource'): Decision {
    const { principal, resourcePolicy } = request;
    const values = valuesOf(request);
    const action = request.action.toLowerCase();
    const applies = (statement: Statement, effect: Statement['effect']) =>
      statement.effect === effect &&
      statement.actions.covers(action) &&
      (statement.resources === null || statement.resources.covers(request.resource)) &&
      statement.holds(values);
    const ofResource = resourcePolicy?.statements ?? [];

    if ('service' in principal) {
      const names = (effect: Statement['effect']) => (statement: Statement) =>
        namesService(statement.principals, principal.service) && applies(statement, effect);
      if (ofResource.some(names('Deny'))) return { allowed: false, explicit: true, by: 'resource' };
      return ofResource.some(names('Allow')) ? ALLOWED : { allowed: false, explicit: false, by: 'resource' };
    }

    const policies = identities.policiesOf(principal);
    if (policies === null) return { allowed: false, explicit: false, by: 'identity' };
    const identityHas = (effect: Statement['effect']) =>
      policies.some(({ statements }) => statements.some((statement) => applies(statement, effect)));
    if (identityHas('Deny')) return { allowed: false, explicit: true, by: 'identity' };
    if (ofResource.some((statement) => denies(statement.principals, principal) && applies(statement, 'Deny'))) {
      return { allowed: false, explicit: true, by: 'resource' };
    }
    if (ofResource.some((statement) => names(statement.principals, principal) && applies(statement, 'Allow'))) return ALLOWED;
    if (rule === 'key') {
      const delegates = ofResource.some((statement) => statement.principals?.accounts.has(ACCOUNT_ROOT_ARN) && applies(statement, 'Allow'));
      if (!delegates) return { allowed: false, explicit: false, by: 'resource' };
    }
    return identityHas('Allow') ? ALLOWED : { allowed: false, explicit: false, by: 'identity' };
  }

  return {
    decide,
    allows: (request, rule) => decide(request, rule).allowed,
    require(request, refusal, rule) {
      const decision = decide(request, rule);
      if (!decision.allowed) throw refusal(request, decision);
    },
  };
}

/** Named itself: by ARN of user, role or session, as the account's root, or as anyone. Only that grants without an identity policy. */
function names(principals: Principals | null, { arn, roleArn }: Principal): boolean {
  if (principals === null) return false;
  const named = principals.anyone || principals.arns.has(arn) || (roleArn !== null && principals.arns.has(roleArn));
  return named || (arn === ACCOUNT_ROOT_ARN && principals.accounts.has(ACCOUNT_ROOT_ARN));
}

/** A Deny for the account is one for all in it (unverified: AWS documents the account as principal of an Allow only). */
function denies(principals: Principals | null, principal: Principal): boolean {
  if (principals === null) return false;
  const covered = names(principals, principal) || principals.accounts.has(ACCOUNT_ROOT_ARN);
  return principals.not ? !coveredByNot(principals, principal) : covered;
}

/** `NotPrincipal` must name the account, the role and the session, or whoever it leaves out is denied all the same. */
function coveredByNot(principals: Principals, { arn, roleArn }: Principal): boolean {
  if (principals.anyone) return true;
  if (arn === ACCOUNT_ROOT_ARN) return principals.accounts.has(ACCOUNT_ROOT_ARN);
  return principals.accounts.has(ACCOUNT_ROOT_ARN) && principals.arns.has(arn) && (roleArn === null || principals.arns.has(roleArn));
}

function namesService(principals: Principals | null, service: string): boolean {
  if (principals === null) return false;
  const named = principals.anyone || principals.services.has(service);
  return principals.not ? !named : named;
}

function valuesOf({ principal, context }: AccessRequest): Values {
  return (key) => {
    const given = context[key] ?? known(principal, key);
    return given === undefined ? NONE : typeof given === 'string' ? [given] : given;
  };
}

/** What the request says of itself: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html */
function known(principal: Principal | ServicePrincipal, key: string): string | undefined {
  switch (key) {
    case 'aws:RequestedRegion':
      return REGION;
    case 'aws:ResourceAccount':
      return ACCOUNT_ID;
    case 'aws:SecureTransport':
      // A service that calls another one uses TLS; of the rest whoever asks knows.
      return 'service' in principal ? 'true' : undefined;
    case 'aws:PrincipalIsAWSService':
      return String('service' in principal);
    case 'aws:ViaAWSService':
      return 'false';
    default:
      return 'service' in principal ? ofService(principal, key) : ofPrincipal(principal, key);
  }
}

function ofService({ service }: ServicePrincipal, key: string): string | undefined {
  return key === 'aws:PrincipalServiceName' ? service : undefined;
}

function ofPrincipal({ arn, roleArn, userId }: Principal, key: string): string | undefined {
  switch (key) {
    case 'aws:PrincipalArn':
      return roleArn ?? arn;
    case 'aws:PrincipalAccount':
      return ACCOUNT_ID;
    case 'aws:PrincipalType':
      return arn === ACCOUNT_ROOT_ARN ? 'Account' : roleArn === null ? 'User' : 'AssumedRole';
    case 'aws:userid':
      return userId;
    case 'aws:username':
      return arn.startsWith('arn:') && roleArn === null && arn !== ACCOUNT_ROOT_ARN ? arn.slice(arn.lastIndexOf('/') + 1) : undefined;
    default:
      return undefined;
  }
}
