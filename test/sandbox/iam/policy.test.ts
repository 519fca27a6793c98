import { describe, expect, test } from 'vitest';
import { PolicyError, type PolicyKind, parsePolicy } from '../../../sandbox/iam/policy.ts';
import { grantsPublicAccess } from '../../../sandbox/iam/public.ts';
import { allow, policy } from './roles.ts';

const forAll = { ...allow('s3:GetObject'), Principal: '*' };

describe('a policy', () => {
  test('is parsed once for each text', () => {
    const text = JSON.stringify(policy(allow('s3:GetObject')));
    expect(parsePolicy(text, 'identity')).toBe(parsePolicy(text, 'identity'));
  });

  test('may have one statement, one action and one resource without lists', () => {
    const { statements } = parsePolicy({ Version: '2012-10-17', Statement: { Sid: 'A', ...allow('*') } }, 'identity');
    expect(statements).toMatchObject([{ sid: 'A', effect: 'Allow', principals: null, actions: { not: false, patterns: ['*'] } }]);
  });

  test.each<[why: string, document: unknown, kind: PolicyKind, message: string | RegExp]>([
    ['text that is no JSON', '{', 'identity', 'The policy is not valid JSON.'],
    ['a list', [], 'identity', 'The policy is not an object.'],
    ['an older version', { Version: '2008-10-17', Statement: [allow('*')] }, 'identity', 'The Version of a policy is 2012-10-17.'],
    ['no version', { Statement: [allow('*')] }, 'identity', 'The Version of a policy is 2012-10-17.'],
    ['no statement', { Version: '2012-10-17' }, 'identity', 'The policy has no Statement.'],
    ['no statement in the list', policy(), 'identity', 'The policy has no Statement.'],
    ['an unknown element', { ...policy(allow('*')), Statements: [] }, 'identity', /^Statements of the policy is not known/],
    [
      'an unknown element of a statement',
      policy({ ...allow('*'), Sid: 'S', Resources: [] }),
      'identity',
      /^Resources of the statement S is/,
    ],
    [
      'two statements of one Sid',
      policy({ ...allow('*'), Sid: 'S' }, { ...allow('*'), Sid: 'S' }),
      'identity',
      'The Sid S is there twice.',
    ],
    ['another effect', policy({ ...allow('*'), Effect: 'allow' }), 'identity', 'The Effect of statement 1 is Allow or Deny.'],
    ['no action', policy({ Effect: 'Allow', Resource: '*' }), 'identity', 'statement 1 needs one of Action and NotAction.'],
    ['both kinds of action', policy({ ...allow('*'), NotAction: '*' }), 'identity', 'statement 1 needs one of Action and NotAction.'],
    ['an empty list of actions', policy(allow([])), 'identity', 'The Action of statement 1 is empty.'],
    ['an action without service', policy(allow('GetObject')), 'identity', 'The Action GetObject of statement 1 is not service:Name.'],
    ['no resource', policy({ Effect: 'Allow', Action: '*' }), 'identity', 'statement 1 needs one of Resource and NotResource.'],
    ['a resource that is no ARN', policy(allow('*', 'bucket/*')), 'identity', 'The Resource bucket/* of statement 1 is not an ARN.'],
    ['a principal of an identity policy', policy(forAll), 'identity', /^Principal of statement 1 is not known/],
    ['no principal of a resource policy', policy(allow('*')), 'resource', 'statement 1 needs one of Principal and NotPrincipal.'],
    ['a resource of a trust policy', policy(forAll), 'trust', /^Resource of statement 1 is not known/],
    [
      'NotPrincipal of a trust policy',
      policy({ Effect: 'Deny', NotPrincipal: '*', Action: '*' }),
      'trust',
      /^NotPrincipal of statement 1 is not known/,
    ],
    [
      'an unknown kind of principal',
      policy({ ...forAll, Principal: { Federated: 'x' } }),
      'resource',
      /^The Principal Federated of statement 1/,
    ],
    ['an empty principal', policy({ ...forAll, Principal: {} }), 'resource', 'The Principal of statement 1 is empty.'],
    [
      'a wildcard in a principal',
      policy({ ...forAll, Principal: { AWS: 'arn:aws:iam::000000000000:role/*' } }),
      'resource',
      /is not an account/,
    ],
    ['a name as principal', policy({ ...forAll, Principal: { AWS: 'somebody' } }), 'resource', /^The Principal somebody of statement 1/],
    ['a service without domain', policy({ ...forAll, Principal: { Service: 's3' } }), 'resource', /^The service s3 of statement 1/],
    [
      'NotPrincipal with Allow',
      policy({ ...allow('*'), NotPrincipal: '*' }),
      'resource',
      'NotPrincipal of statement 1 does not go with Allow.',
    ],
    [
      'an unknown operator',
      policy(allow('*', '*', { Like: { 's3:prefix': 'a' } })),
      'identity',
      'The condition operator Like is not known.',
    ],
    [
      'an unknown key',
      policy(allow('*', '*', { Null: { 's3:nothing': 'true' } })),
      'identity',
      'The condition key s3:nothing is not known.',
    ],
    ['a condition without value', policy(allow('*', '*', { StringLike: { 's3:prefix': [] } })), 'identity', /s3:prefix has no value/],
    ['a policy variable', policy(allow('*', `arn:aws:s3:::b/\${aws:username}/*`)), 'identity', /^The policy variable \$\{aws:username\}/],
  ])('with %s is an error by name', (_why, document, kind, message) => {
    const parse = () => parsePolicy(typeof document === 'string' ? document : Object(document), kind);
    expect(parse).toThrow(message);
    expect(parse).toThrow(PolicyError);
  });
});

describe('a policy is open to the world', () => {
  const conditioned = (Condition: object) => policy({ ...forAll, Condition });

  test.each<[open: boolean, why: string, document: object]>([
    [true, 'for anyone', policy(forAll)],
    [true, 'for anyone among the AWS ones', policy({ ...forAll, Principal: { AWS: ['*'] } })],
    [false, 'for nobody, when it denies', policy({ ...forAll, Effect: 'Deny' })],
    [false, 'for one account', policy({ ...forAll, Principal: { AWS: '000000000000' } })],
    [false, 'for a service', policy({ ...forAll, Principal: { Service: 's3.amazonaws.com' } })],
    [false, 'with a fixed source', conditioned({ StringEquals: { 'aws:SourceAccount': '000000000000' } })],
    [true, 'with a source that is a pattern', conditioned({ StringLike: { 'aws:SourceAccount': '*' } })],
    [true, 'with a source that it must not be', conditioned({ StringNotEquals: { 'aws:SourceAccount': '000000000000' } })],
    [true, 'with a condition of something else', conditioned({ Bool: { 'aws:SecureTransport': 'true' } })],
  ])('%s: %s', (open, _why, document) => {
    expect(grantsPublicAccess(parsePolicy(document, 'resource'))).toBe(open);
  });
});
