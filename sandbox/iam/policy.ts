/**
 * Policy documents, parsed strictly and compiled once: what is not known is an error by name, never a pass.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
import { compileCondition, type Test } from './condition.ts';
import { anyOf, type Matcher, wildcard } from './pattern.ts';
import { PolicyError } from './policy-error.ts';
import { type Principals, parsePrincipals } from './principals.ts';

export { PolicyError } from './policy-error.ts';
export type { Principals } from './principals.ts';

/** Where a document stands: that decides which elements it may have. */
export type PolicyKind = 'identity' | 'resource' | 'trust';

/** Patterns of an element, or of its `Not…` twin. */
export interface Patterns {
  not: boolean;
  /** As written. */
  patterns: readonly string[];
  /** Whether the element covers the value (an action in lower case, or an ARN). */
  covers: Matcher;
}

/** One key under one operator. */
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
  /** All conditions at once. */
  holds: Test;
}

export interface PolicyDocument {
  statements: readonly Statement[];
}

type Json = Record<string, unknown>;

const VERSION = '2012-10-17';
/** More policies than a stack has; the oldest go first. */
const MAX_KEPT = 1000;
const ACTION = /^(\*|[a-z0-9-]+:[a-z0-9*?]+)$/i;
const parsed = new Map<string, PolicyDocument>();

/**
 * Parses a policy once: the same text gives the same document.
 * @param policy JSON text, or what a template made of it
 * @throws PolicyError for an element, operator or condition key that the judge does not know, and for what does not belong here
 */
export function parsePolicy(policy: string | object, kind: PolicyKind): PolicyDocument {
  const text = typeof policy === 'string' ? policy : JSON.stringify(policy);
  const id = `${kind}:${text}`;
  const known = parsed.get(id);
  if (known !== undefined) return known;
  const document = compile(parseJson(text), kind);
  const oldest = parsed.size >= MAX_KEPT ? parsed.keys().next().value : undefined;
  if (oldest !== undefined) parsed.delete(oldest);
  parsed.set(id, document);
  return document;
}

function compile(document: Json, kind: PolicyKind): PolicyDocument {
  refuseUnknown(document, ['Version', 'Id', 'Statement'], 'the policy');
  if (document.Version !== VERSION) throw new PolicyError(`The Version of a policy is ${VERSION}.`);
  if (document.Id !== undefined && typeof document.Id !== 'string') throw new PolicyError('The Id of a policy is text.');
  if (document.Statement === undefined) throw new PolicyError('The policy has no Statement.');
  const statements = listOf(document.Statement).map((statement, index) => compileStatement(statement, kind, `statement ${index + 1}`));
  if (statements.length === 0) throw new PolicyError('The policy has no Statement.');
  const sids = statements.flatMap(({ sid }) => (sid === null ? [] : [sid]));
  const twice = sids.find((sid, index) => sids.indexOf(sid) !== index);
  if (twice !== undefined) throw new PolicyError(`The Sid ${twice} is there twice.`);
  return { statements };
}

function compileStatement(value: unknown, kind: PolicyKind, place: string): Statement {
  const statement = objectOf(value, place);
  const at = typeof statement.Sid === 'string' ? `the statement ${statement.Sid}` : place;
  const principalElements = { identity: [], trust: ['Principal'], resource: ['Principal', 'NotPrincipal'] }[kind];
  const resourceElements = kind === 'trust' ? [] : ['Resource', 'NotResource'];
  refuseUnknown(statement, ['Sid', 'Effect', 'Action', 'NotAction', 'Condition', ...principalElements, ...resourceElements], at);
  if (statement.Sid !== undefined && typeof statement.Sid !== 'string') throw new PolicyError(`The Sid of ${at} is text.`);
  const { Effect: effect } = statement;
  if (effect !== 'Allow' && effect !== 'Deny') throw new PolicyError(`The Effect of ${at} is Allow or Deny.`);
  const conditions = conditionsOf(statement.Condition, at);
  return {
    sid: statement.Sid ?? null,
    effect,
    principals: kind === 'identity' ? null : parsePrincipals(statement, at),
    actions: patternsOf(statement, 'Action', at, actionPattern),
    resources: kind === 'trust' ? null : patternsOf(statement, 'Resource', at, resourcePattern),
    conditions,
    holds: allOf(conditions.map(({ operator, key, values }) => compileCondition(operator, key, values))),
  };
}

function patternsOf(statement: Json, name: 'Action' | 'Resource', at: string, compileOne: (text: string, at: string) => Matcher): Patterns {
  const [positive, negative] = [statement[name], statement[`Not${name}`]];
  if ((positive === undefined) === (negative === undefined)) throw new PolicyError(`${at} needs one of ${name} and Not${name}.`);
  const not = positive === undefined;
  const patterns = textsOf(positive ?? negative, `${not ? 'Not' : ''}${name} of ${at}`);
  if (patterns.length === 0) throw new PolicyError(`The ${name} of ${at} is empty.`);
  const any = anyOf(patterns.map((pattern) => compileOne(pattern, at)));
  return { not, patterns, covers: not ? (value) => !any(value) : any };
}

function actionPattern(text: string, at: string): Matcher {
  if (!ACTION.test(text)) throw new PolicyError(`The Action ${text} of ${at} is not service:Name.`);
  return wildcard(text.toLowerCase());
}

function resourcePattern(text: string, at: string): Matcher {
  if (text !== '*' && text.split(':').length < 6) throw new PolicyError(`The Resource ${text} of ${at} is not an ARN.`);
  return wildcard(text);
}

function conditionsOf(value: unknown, at: string): Condition[] {
  if (value === undefined) return [];
  return Object.entries(objectOf(value, `the Condition of ${at}`)).flatMap(([operator, keys]) =>
    Object.entries(objectOf(keys, `${operator} of ${at}`)).map(([key, values]) => ({
      operator,
      key,
      values: textsOf(values, `${operator} ${key} of ${at}`),
    })),
  );
}

function allOf(tests: readonly Test[]): Test {
  const [only] = tests;
  if (only === undefined) return () => true;
  return tests.length === 1 ? only : (values) => tests.every((test) => test(values));
}

function refuseUnknown(value: Json, known: readonly string[], at: string): void {
  const unknown = Object.keys(value).filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new PolicyError(`${unknown.join(', ')} of ${at} is not known: ${known.join(', ')} are.`);
}

function parseJson(text: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new PolicyError('The policy is not valid JSON.');
  }
  return objectOf(value, 'The policy');
}

function objectOf(value: unknown, what: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new PolicyError(`${what} is not an object.`);
  return { ...value };
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [value];
}

/** JSON's numbers and flags are texts to IAM. */
function textsOf(value: unknown, what: string): string[] {
  return listOf(value).map((one) => {
    if (typeof one !== 'string' && typeof one !== 'number' && typeof one !== 'boolean') throw new PolicyError(`${what} is not text.`);
    return String(one);
  });
}
