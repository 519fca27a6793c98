/** Policies of resources, read as far as it takes to see whether a statement is there. What they do, probes try. Pure. */

export interface Statement {
  sid: string;
  effect: 'Allow' | 'Deny' | '';
  /** Of accounts, users and roles; `*` is anybody. */
  principals: string[];
  services: string[];
  actions: string[];
  notActions: boolean;
  resources: string[];
  /** Operator → key in lower case → values. */
  conditions: Record<string, Record<string, string[]>>;
}

/** @returns no statements for a text that is no policy */
export function statementsOf(text: string | undefined): Statement[] {
  return rawStatementsOf(text).map((statement) => {
    const principal = member(statement, 'Principal');
    const effect = member(statement, 'Effect');
    const notActions = member(statement, 'NotAction') !== undefined;
    return {
      sid: String(member(statement, 'Sid') ?? ''),
      effect: effect === 'Allow' || effect === 'Deny' ? effect : '',
      principals: typeof principal === 'string' ? [principal] : texts(member(principal, 'AWS')),
      services: texts(member(principal, 'Service')),
      actions: texts(member(statement, notActions ? 'NotAction' : 'Action')),
      notActions,
      resources: texts(member(statement, 'Resource')),
      conditions: conditionsOf(member(statement, 'Condition')),
    };
  });
}

/** As they stand there. */
export function rawStatementsOf(text: string | undefined): unknown[] {
  return list(member(parse(text), 'Statement'));
}

/** The same text for statements that say the same: the order of values, and one value alone or in a list, mean nothing. */
export function normalized(statement: unknown): string {
  return JSON.stringify(
    entries(statement)
      .map(([name, value]) => [name, name === 'Condition' ? conditionsIn(value) : alike(value)])
      .sort(),
  );
}

/** The policy with more statements; one of the same Sid gives way. */
export function withStatements(text: string | undefined, added: readonly { Sid: string }[]): object {
  const sids = added.map(({ Sid }) => Sid);
  const kept = rawStatementsOf(text).filter((statement) => !sids.includes(String(member(statement, 'Sid'))));
  return { Version: '2012-10-17', Statement: [...kept, ...added] };
}

/** Whether the statement speaks of this action: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html */
export function covers({ actions, notActions }: Statement, action: string): boolean {
  return actions.some((pattern) => matches(pattern.toLowerCase(), action.toLowerCase())) !== notActions;
}

/** Values that conditions of these operators compare a key with. */
export function comparedWith({ conditions }: Statement, operators: readonly string[], key: string): string[] {
  return operators.flatMap((operator) => conditions[operator]?.[key.toLowerCase()] ?? []);
}

/** Whether any condition looks at this key. */
export function asksFor({ conditions }: Statement, key: string): boolean {
  return Object.values(conditions).some((compared) => Object.hasOwn(compared, key.toLowerCase()));
}

/** `*` and `?` as policies mean them. */
export function matches(pattern: string, value: string): boolean {
  const expression = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${expression}$`, 's').test(value);
}

function conditionsOf(condition: unknown): Statement['conditions'] {
  return Object.fromEntries(
    entries(condition).map(([operator, compared]) => [
      operator,
      Object.fromEntries(entries(compared).map(([key, value]) => [key.toLowerCase(), texts(value)])),
    ]),
  );
}

/** Condition keys have no case: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html */
function conditionsIn(condition: unknown): unknown {
  return entries(condition)
    .map(([operator, compared]) => [
      operator,
      entries(compared)
        .map(([key, value]) => [key.toLowerCase(), alike(value)])
        .sort(),
    ])
    .sort();
}

function alike(value: unknown): unknown {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return entries(value)
      .map(([name, member]) => [name, alike(member)])
      .sort();
  return texts(value).sort();
}

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '{}');
  } catch {
    return {};
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
}

function entries(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

function list(value: unknown): unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

function texts(value: unknown): string[] {
  return list(value).map(String);
}
