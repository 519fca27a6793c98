/** Whether a request is allowed: what every service of the sandbox asks before it does anything. */
import type { AwsError } from '../aws-error.ts';
import type { Principal } from '../service.ts';
import type { PolicyDocument } from './policy.ts';

/** A service of AWS that acts for itself, e.g. `s3.amazonaws.com` when it sends an event. */
export interface ServicePrincipal {
  service: string;
}

/** Values of the request's condition keys, names as AWS writes them; a key that the request does not have is not there. */
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

/** Which policies must speak for a caller of the same account: either kind, or the resource's first of all (KMS keys). */
export type Rule = 'identity-or-resource' | 'key';

/** `by` names the kind of policy that denies, or that lacks the Allow. */
export type Decision = { allowed: true } | { allowed: false; explicit: boolean; by: 'identity' | 'resource' };

/** Words a refusal as the service that was asked does: its code, status and message. */
export type Refusal = (request: AccessRequest, decision: Extract<Decision, { allowed: false }>) => AwsError;

export interface Judge {
  decide(request: AccessRequest, rule?: Rule): Decision;
  allows(request: AccessRequest, rule?: Rule): boolean;
  /** @throws AwsError that `refusal` makes, unless the request is allowed */
  require(request: AccessRequest, refusal: Refusal, rule?: Rule): void;
}
