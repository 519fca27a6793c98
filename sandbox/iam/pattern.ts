/** Wildcards of policies, compiled once. @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-specialchars */
import { PolicyError } from './policy-error.ts';

export type Matcher = (value: string) => boolean;

interface Token {
  /** `null` for a wildcard. */
  text: string | null;
  wildcard: '*' | '?' | null;
}

const ANY: Matcher = () => true;
/** `${*}`, `${?}` and `${$}` stand for the character itself. */
const PART = /\$\{([^}]*)\}|[*?]|[^$*?]+|\$/g;

/**
 * `*` is any run of characters, also of colons and slashes, `?` any one; case counts.
 * @throws PolicyError for policy variables, which the judge does not know
 */
export function wildcard(pattern: string): Matcher {
  const tokens = tokensOf(pattern);
  const wild = tokens.filter(({ wildcard }) => wildcard !== null).length;
  const [first, last] = [tokens[0], tokens.at(-1)];
  if (wild === 0) return exactly(tokens.map(({ text }) => text ?? '').join(''));
  if (wild === 1 && tokens.length === 1 && first?.wildcard === '*') return ANY;
  if (wild === 1 && last?.wildcard === '*') {
    const prefix = tokens.map(({ text }) => text ?? '').join('');
    return (value) => value.startsWith(prefix);
  }
  const source = tokens.map(({ text, wildcard }) => (wildcard === '*' ? '.*' : wildcard === '?' ? '.' : escapeRegExp(text ?? '')));
  const expression = new RegExp(`^${source.join('')}$`, 'su');
  return (value) => expression.test(value);
}

/** The text itself, its escapes undone; `*` and `?` are characters like any others. @throws as `wildcard` */
export function literal(text: string): string {
  return tokensOf(text)
    .map((token) => token.text ?? token.wildcard ?? '')
    .join('');
}

/**
 * An ARN with wildcards: each of its six parts is compared by itself, so that no wildcard before the resource spans a colon.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
 */
export function arnPattern(pattern: string): Matcher {
  const parts = arnParts(pattern).map(wildcard);
  if (parts.length === 1) return pattern === '*' ? ANY : exactly(literal(pattern));
  return (value) => {
    const given = arnParts(value);
    return given.length === parts.length && parts.every((matches, index) => matches(given[index] ?? ''));
  };
}

/** Any of them; one look-up for those without wildcards. */
export function anyOf(matchers: readonly Matcher[]): Matcher {
  const [only] = matchers;
  if (only !== undefined && matchers.length === 1) return only;
  return (value) => matchers.some((matches) => matches(value));
}

function arnParts(arn: string): string[] {
  const parts = arn.split(':');
  return parts.length < 6 ? [arn] : [...parts.slice(0, 5), parts.slice(5).join(':')];
}

function tokensOf(pattern: string): Token[] {
  return Array.from(pattern.matchAll(PART), ([part, variable]) => {
    if (variable !== undefined) {
      if (variable !== '*' && variable !== '?' && variable !== '$') {
        throw new PolicyError(`The policy variable \${${variable}} is not known: the judge knows none.`);
      }
      return { text: variable, wildcard: null };
    }
    return part === '*' || part === '?' ? { text: null, wildcard: part } : { text: part, wildcard: null };
  });
}

function exactly(text: string): Matcher {
  return (value) => value === text;
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
