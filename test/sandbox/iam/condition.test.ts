import { describe, expect, test } from 'vitest';
import { compileCondition } from '../../../sandbox/iam/condition.ts';
import { PolicyError } from '../../../sandbox/iam/policy.ts';

const KEY = 's3:prefix';
const MANY = 'dynamodb:LeadingKeys';

function holds(operator: string, values: readonly string[], given: readonly string[], key = KEY): boolean {
  return compileCondition(operator, key, values)((name) => (name === key ? given : []));
}

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
describe('one value', () => {
  test.each<[operator: string, values: string[], given: string, result: boolean]>([
    ['StringEquals', ['a'], 'a', true],
    ['StringEquals', ['a'], 'A', false],
    ['StringEquals', ['a', 'b'], 'b', true],
    ['StringEquals', ['a', 'b'], 'c', false],
    ['StringEquals', ['a*'], 'ab', false],
    ['StringEquals', ['a*'], 'a*', true],
    ['StringEquals', [`a\${*}`], 'a*', true],
    ['StringEquals', [''], '', true],
    ['StringNotEquals', ['a'], 'a', false],
    ['StringNotEquals', ['a'], 'b', true],
    ['StringNotEquals', ['a', 'b'], 'b', false],
    ['StringNotEquals', ['a', 'b'], 'c', true],
    ['StringEqualsIgnoreCase', ['aB'], 'Ab', true],
    ['StringNotEqualsIgnoreCase', ['aB'], 'Ab', false],
    ['StringLike', ['a*'], 'ab/c:d', true],
    ['StringLike', ['a*'], 'a', true],
    ['StringLike', ['a*'], 'ba', false],
    ['StringLike', ['a?c'], 'abc', true],
    ['StringLike', ['a?c'], 'ac', false],
    ['StringLike', ['*b*'], 'abc', true],
    ['StringLike', ['a.c'], 'abc', false],
    ['StringLike', ['a\n*'], 'a\nb', true],
    ['StringLike', [`a\${*}c`], 'abc', false],
    ['StringLike', [`a\${*}c`], 'a*c', true],
    ['StringLike', [`a\${?}`], 'ab', false],
    ['StringLike', [`a\${$}*`], 'a$b', true],
    ['StringLike', ['a$*'], 'a$b', true],
    ['StringLike', ['?'], '😀', true],
    ['StringNotLike', ['a*', 'b*'], 'bc', false],
    ['StringNotLike', ['a*', 'b*'], 'c', true],
    ['ArnEquals', ['arn:aws:s3:::bucket'], 'arn:aws:s3:::bucket', true],
    ['ArnEquals', ['arn:aws:s3:::b*'], 'arn:aws:s3:::bucket', true],
    ['ArnLike', ['arn:aws:iam::*:role/a*'], 'arn:aws:iam::000000000000:role/ab/c', true],
    ['ArnLike', ['arn:aws:iam::*'], 'arn:aws:iam::000000000000:role/a', false],
    ['ArnLike', ['arn:aws:*:role/a'], 'arn:aws:iam::000000000000:role/a', false],
    ['ArnLike', ['arn:aws:sns:us-east-1:000000000000:a:*'], 'arn:aws:sns:us-east-1:000000000000:a:b', true],
    ['ArnLike', ['arn:aws:sns:us-east-1:000000000000:a*'], 'arn:aws:sns:us-east-1:000000000000:a:b', true],
    ['ArnLike', ['arn:aws:s3:::Bucket'], 'arn:aws:s3:::bucket', false],
    ['ArnLike', ['*'], 'anything', true],
    ['ArnNotEquals', ['arn:aws:iam::000000000000:role/a'], 'arn:aws:iam::000000000000:role/a', false],
    ['ArnNotEquals', ['arn:aws:iam::000000000000:role/a'], 'arn:aws:iam::000000000000:role/b', true],
    ['ArnNotLike', ['arn:aws:iam::000000000000:role/a*', 'arn:aws:iam::000000000000:role/b'], 'arn:aws:iam::000000000000:role/b', false],
    ['Bool', ['false'], 'false', true],
    ['Bool', ['false'], 'true', false],
    ['Bool', ['TRUE'], 'true', true],
    ['NumericEquals', ['1.2'], '1.20', true],
    ['NumericNotEquals', ['1.2'], '1.2', false],
    ['NumericLessThan', ['1.2'], '1.19', true],
    ['NumericLessThan', ['1.2'], '1.2', false],
    ['NumericLessThan', ['1.2'], '1.3', false],
    ['NumericLessThanEquals', ['30'], '30', true],
    ['NumericLessThanEquals', ['30'], '31', false],
    ['NumericGreaterThan', ['30'], '30', false],
    ['NumericGreaterThan', ['30'], '31', true],
    ['NumericGreaterThanEquals', ['30'], '29', false],
    ['NumericGreaterThanEquals', ['30'], '30', true],
    ['NumericLessThan', ['1.2'], 'none', false],
    ['NumericLessThan', ['1.2'], '', false],
    ['Null', ['false'], 'a', true],
    ['Null', ['true'], 'a', false],
  ])('%s %j of %j is %s', (operator, values, given, result) => {
    expect(holds(operator, values, [given])).toBe(result);
  });
});

describe('a key that the request does not have', () => {
  test.each<[operator: string, value: string, result: boolean]>([
    ['StringEquals', 'a', false],
    ['StringLike', '*', false],
    ['StringNotEquals', 'a', true],
    ['StringNotLike', '*', true],
    ['ArnLike', '*', false],
    ['ArnNotLike', '*', true],
    ['Bool', 'false', false],
    ['NumericLessThan', '2', false],
    ['NumericNotEquals', '2', true],
    ['StringEqualsIfExists', 'a', true],
    ['StringNotEqualsIfExists', 'a', true],
    ['BoolIfExists', 'true', true],
    ['Null', 'true', true],
    ['Null', 'false', false],
    ['ForAllValues:StringEquals', 'a', true],
    ['ForAllValues:StringNotEquals', 'a', true],
    ['ForAnyValue:StringEquals', 'a', false],
    ['ForAnyValue:StringNotEquals', 'a', false],
    ['ForAnyValue:StringLikeIfExists', 'a', true],
  ])('makes %s %j %s', (operator, value, result) => {
    expect(holds(operator, [value], [])).toBe(result);
  });

  test('is what IfExists is for: a key that is there is compared', () => {
    expect(holds('StringEqualsIfExists', ['a'], ['b'])).toBe(false);
    expect(holds('BoolIfExists', ['true'], ['false'])).toBe(false);
  });
});

describe('several values', () => {
  test.each<[operator: string, values: string[], given: string[], result: boolean]>([
    ['ForAllValues:StringLike', ['a#*'], ['a#1', 'a#2'], true],
    ['ForAllValues:StringLike', ['a#*'], ['a#1', 'b#2'], false],
    ['ForAllValues:StringLike', ['a#*', 'b#*'], ['a#1', 'b#2'], true],
    ['ForAnyValue:StringEquals', ['a'], ['a', 'b'], true],
    ['ForAnyValue:StringEquals', ['a'], ['b', 'c'], false],
    ['ForAnyValue:StringNotEquals', ['a'], ['a', 'b'], true],
    ['ForAnyValue:StringNotEquals', ['a'], ['a'], false],
    ['ForAllValues:StringNotEquals', ['a'], ['b', 'c'], true],
    ['ForAllValues:StringNotEquals', ['a'], ['a', 'c'], false],
  ])('%s %j of %j is %s', (operator, values, given, result) => {
    expect(holds(operator, values, given, MANY)).toBe(result);
  });

  test('need a set operator, since no other says which of them counts', () => {
    expect(() => compileCondition('StringEquals', MANY, ['a'])).toThrow('needs ForAllValues: or ForAnyValue:');
  });
});

describe('names', () => {
  test('of keys are compared without case', () => {
    expect(compileCondition('StringEquals', 'S3:PREFIX', ['a'])((name) => (name === 's3:prefix' ? ['a'] : []))).toBe(true);
  });

  test('of one encryption context key are too', () => {
    const test = compileCondition('StringEquals', 'kms:encryptioncontext:AWS:s3:arn', ['a']);
    expect(test((name) => (name === 'kms:EncryptionContext:aws:s3:arn' ? ['a'] : []))).toBe(true);
  });

  test.each([
    ['StringMatches', KEY, 'a', 'The condition operator StringMatches is not known.'],
    ['stringequals', KEY, 'a', 'The condition operator stringequals is not known.'],
    ['ForSomeValues:StringEquals', KEY, 'a', 'The condition operator ForSomeValues:StringEquals is not known.'],
    ['NullIfExists', KEY, 'true', 'The condition operator NullIfExists is not known.'],
    ['IpAddress', KEY, '10.0.0.0/8', 'The condition operator IpAddress is not known.'],
    ['StringEquals', 'aws:SourceIp', 'a', 'The condition key aws:SourceIp is not known.'],
    ['StringEquals', 's3:x-amz-server-side-encryptio', 'a', 'The condition key s3:x-amz-server-side-encryptio is not known.'],
    ['StringEquals', 'kms:EncryptionContext:', 'a', 'The condition key kms:EncryptionContext: is not known.'],
    ['Bool', KEY, 'yes', 'The condition Bool is true or false, not yes.'],
    ['Null', KEY, 'yes', `The condition Null of ${KEY} is true or false, not yes.`],
    ['NumericLessThan', KEY, 'two', 'A numeric condition needs a number, not two.'],
    ['NumericLessThan', KEY, '', 'A numeric condition needs a number, not .'],
    ['StringLike', KEY, `\${aws:username}/*`, `The policy variable \${aws:username} is not known: the judge knows none.`],
  ])('%s %s %j is an error by name', (operator, key, value, message) => {
    expect(() => compileCondition(operator, key, [value])).toThrow(new PolicyError(message));
  });
});
