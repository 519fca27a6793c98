/** Policy documents, parsed strictly: what is not known is an error by name, never a pass. */

/** Where a document stands: that decides which elements it may have. */
export type PolicyKind = 'identity' | 'resource' | 'trust';

/** Patterns of an element or of its `Not…` twin. */
export interface Patterns {
  not: boolean;
  /** As written. */
  patterns: readonly string[];
}

export interface Principals {
  not: boolean;
  /** `"Principal": "*"`, or `*` among the AWS ones. */
  anyone: boolean;
  /** ARNs and account ids. */
  aws: readonly string[];
  services: readonly string[];
}

/** One key of one operator: all of a statement's must hold. */
export interface Condition {
  /** As written, e.g. `ForAnyValue:StringLike`. */
  operator: string;
  key: string;
  values: readonly string[];
}

export interface Statement {
  sid: string | null;
  effect: 'Allow' | 'Deny';
  /** `null` in identity policies. */
  principals: Principals | null;
  actions: Patterns;
  /** `null` in trust policies. */
  resources: Patterns | null;
  conditions: readonly Condition[];
}

export interface PolicyDocument {
  statements: readonly Statement[];
}

/** What is wrong with a policy, by name. Services answer it as their own `MalformedPolicy…` error. */
export class PolicyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PolicyError';
  }
}

/**
 * Parses a policy once: the same text gives the same document.
 * @param policy JSON text, or what a template made of it
 * @throws PolicyError for an element, operator or condition key that the judge does not know, and for what does not belong here
 */
export function parsePolicy(policy: string | object, kind: PolicyKind): PolicyDocument {
  throw new PolicyError(`to come: ${kind} ${typeof policy}`);
}
