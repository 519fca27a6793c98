/** What a JSON service says about input that does not fit its model. */
import type { z } from 'zod';
import { AwsError } from '../aws-error.ts';

type Issue = z.core.$ZodIssue;

/**
 * A member that the sandbox does not know is a 501, a wrong type a `SerializationException`, everything else a
 * `ValidationException`. Values are never quoted: they may be secrets.
 * @param error of a parse with `reportInput`, which tells a missing member from a wrong one
 */
export function inputError(error: z.ZodError): AwsError {
  for (const issue of error.issues) {
    if (issue.code === 'unrecognized_keys') {
      const names = issue.keys.map((key) => [...issue.path, key].join('.'));
      return new AwsError(501, 'NotImplemented', `The sandbox does not implement the member ${names.join(', ')}.`);
    }
    if (issue.code === 'invalid_type' && issue.input !== undefined) {
      return new AwsError(400, 'SerializationException', `${memberOf(issue)} is not of type ${issue.expected}.`);
    }
  }
  const failures = error.issues.map((issue) => `Value at '${memberOf(issue)}' failed to satisfy constraint: ${constraintOf(issue)}`);
  const count = failures.length === 1 ? '1 validation error' : `${failures.length} validation errors`;
  return new AwsError(400, 'ValidationException', `${count} detected: ${failures.join('; ')}`);
}

function constraintOf(issue: Issue): string {
  if (issue.input === undefined) return 'Member must not be null';
  switch (issue.code) {
    case 'too_big':
      return issue.origin === 'number'
        ? `Member must have value less than or equal to ${issue.maximum}`
        : `Member must have length less than or equal to ${issue.maximum}`;
    case 'too_small':
      return issue.origin === 'number'
        ? `Member must have value greater than or equal to ${issue.minimum}`
        : `Member must have length greater than or equal to ${issue.minimum}`;
    case 'invalid_format':
      return issue.pattern
        ? `Member must satisfy regular expression pattern: ${issue.pattern.replace(/^\/\^?|\$?\/[a-z]*$/g, '')}`
        : 'Member must be valid';
    case 'invalid_value':
      return `Member must satisfy enum value set: [${issue.values.join(', ')}]`;
    default:
      return issue.message;
  }
}

/** AWS names members in lower camel case, list members by `.N.member`. */
function memberOf(issue: Issue): string {
  if (issue.path.length === 0) return 'input';
  return issue.path
    .map((part) => (typeof part === 'number' ? `${part + 1}.member` : String(part).replace(/^[A-Z]/, (letter) => letter.toLowerCase())))
    .join('.');
}
