/** Conditions of statements, compiled once. @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html */
import { conditionKey } from './condition-keys.ts';
import { anyOf, arnPattern, literal, type Matcher, wildcard } from './pattern.ts';
import { PolicyError } from './policy-error.ts';

/** The values of a key in a request; none when the request does not have it. */
export type Values = (key: string) => readonly string[];
export type Test = (values: Values) => boolean;

/** One value of the request against all of the policy's: any of them, or none for the negated operators. */
interface Comparison {
  negated: boolean;
  compile(value: string): Matcher;
}

type Operator =
  | 'StringEquals'
  | 'StringNotEquals'
  | 'StringEqualsIgnoreCase'
  | 'StringNotEqualsIgnoreCase'
  | 'StringLike'
  | 'StringNotLike'
  | 'ArnEquals'
  | 'ArnNotEquals'
  | 'ArnLike'
  | 'ArnNotLike'
  | 'NumericEquals'
  | 'NumericNotEquals'
  | 'NumericLessThan'
  | 'NumericLessThanEquals'
  | 'NumericGreaterThan'
  | 'NumericGreaterThanEquals'
  | 'Bool';

const OPERATORS: Record<Operator, Comparison> = {
  StringEquals: { negated: false, compile: equal },
  StringNotEquals: { negated: true, compile: equal },
  StringEqualsIgnoreCase: { negated: false, compile: equalIgnoringCase },
  StringNotEqualsIgnoreCase: { negated: true, compile: equalIgnoringCase },
  StringLike: { negated: false, compile: wildcard },
  StringNotLike: { negated: true, compile: wildcard },
  ArnEquals: { negated: false, compile: arnPattern },
  ArnNotEquals: { negated: true, compile: arnPattern },
  ArnLike: { negated: false, compile: arnPattern },
  ArnNotLike: { negated: true, compile: arnPattern },
  NumericEquals: { negated: false, compile: numeric((value, bound) => value === bound) },
  NumericNotEquals: { negated: true, compile: numeric((value, bound) => value === bound) },
  NumericLessThan: { negated: false, compile: numeric((value, bound) => value < bound) },
  NumericLessThanEquals: { negated: false, compile: numeric((value, bound) => value <= bound) },
  NumericGreaterThan: { negated: false, compile: numeric((value, bound) => value > bound) },
  NumericGreaterThanEquals: { negated: false, compile: numeric((value, bound) => value >= bound) },
  Bool: { negated: false, compile: bool },
};

const SHAPE = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/;

/**
 * @param operator as written, e.g. `ForAnyValue:StringLikeIfExists`
 * @throws PolicyError for an operator, key or value that is not known
 */
export function compileCondition(operator: string, key: string, values: readonly string[]): Test {
  const known = conditionKey(key);
  if (known === null) throw new PolicyError(`The condition key ${key} is not known.`);
  if (values.length === 0) throw new PolicyError(`The condition ${operator} of ${key} has no value.`);
  const { name } = known;
  if (operator === 'Null') return nullTest(name, values);
  const [, set, base = '', ifExists] = SHAPE.exec(operator) ?? [];
  if (!isOperator(base)) throw new PolicyError(`The condition operator ${operator} is not known.`);
  if (known.many && set === undefined) {
    throw new PolicyError(`${name} may have several values: ${operator} needs ForAllValues: or ForAnyValue: before it.`);
  }
  const { negated, compile } = OPERATORS[base];
  const any = anyOf(values.map(compile));
  const matches: Matcher = negated ? (value) => !any(value) : any;
  return (valuesOf) => {
    const given = valuesOf(name);
    if (given.length === 0) {
      if (ifExists !== undefined || set === 'ForAllValues') return true;
      // A key that is not there differs from every value, but no value of it does.
      return negated && set === undefined;
    }
    return set === 'ForAnyValue' ? given.some(matches) : given.every(matches);
  };
}

function nullTest(key: string, values: readonly string[]): Test {
  const wanted = values.map((value) => {
    if (value !== 'true' && value !== 'false') throw new PolicyError(`The condition Null of ${key} is true or false, not ${value}.`);
    return value === 'true';
  });
  return (valuesOf) => wanted.includes(valuesOf(key).length === 0);
}

function isOperator(name: string): name is Operator {
  return Object.hasOwn(OPERATORS, name);
}

function equal(value: string): Matcher {
  const wanted = literal(value);
  return (given) => given === wanted;
}

function equalIgnoringCase(value: string): Matcher {
  const wanted = literal(value).toLowerCase();
  return (given) => given.toLowerCase() === wanted;
}

/** A value that is no number compares with none. */
function numeric(compare: (value: number, bound: number) => boolean): (value: string) => Matcher {
  return (text) => {
    const bound = Number(text);
    if (text.trim() === '' || !Number.isFinite(bound)) throw new PolicyError(`A numeric condition needs a number, not ${text}.`);
    return (given) => given.trim() !== '' && compare(Number(given), bound);
  };
}

function bool(value: string): Matcher {
  const wanted = value.toLowerCase();
  if (wanted !== 'true' && wanted !== 'false') throw new PolicyError(`The condition Bool is true or false, not ${value}.`);
  return (given) => given.toLowerCase() === wanted;
}
