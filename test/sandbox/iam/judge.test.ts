import { describe, expect, test } from 'vitest';
import { ACCOUNT_ROOT_ARN, openJudge, type RequestContext, type Rule, type ServicePrincipal } from '../../../sandbox/iam/judge.ts';
import { parsePolicy } from '../../../sandbox/iam/policy.ts';
import { refusalSentence } from '../../../sandbox/iam/refusal.ts';
import type { Principal } from '../../../sandbox/service.ts';
import { allow, deny, policy } from './roles.ts';

const ROLE = 'arn:aws:iam::000000000000:role/worker';
const SESSION = 'arn:aws:sts::000000000000:assumed-role/worker/one';
const role: Principal = { arn: SESSION, roleArn: ROLE, userId: 'AROAWORKER:one', accessKeyId: '' };
const USER = 'arn:aws:iam::000000000000:user/ann';
const user: Principal = { arn: USER, roleArn: null, userId: 'AIDAANN', accessKeyId: '' };
const root: Principal = { arn: ACCOUNT_ROOT_ARN, roleArn: null, userId: '000000000000', accessKeyId: '' };
const s3: ServicePrincipal = { service: 's3.amazonaws.com' };
const OBJECT = 'arn:aws:s3:::bucket/a/b.txt';

interface Asked {
  principal?: Principal | ServicePrincipal;
  action?: string;
  resource?: string;
  context?: RequestContext;
  /** `null`: the principal is gone. */
  identity?: object[] | null;
  own?: object[];
  rule?: Rule;
}

function decide({
  principal = role,
  action = 's3:GetObject',
  resource = OBJECT,
  context = {},
  identity = [],
  own = [],
  rule,
}: Asked): string {
  const policies = identity === null ? null : identity.map((statement) => parsePolicy(policy(statement), 'identity'));
  const resourcePolicy = own.length === 0 ? null : parsePolicy(policy(...own), 'resource');
  const decision = openJudge({ policiesOf: () => policies }).decide({ principal, action, resource, context, resourcePolicy }, rule);
  return decision.allowed ? 'allowed' : `${decision.explicit ? 'explicit' : 'implicit'} deny by ${decision.by}`;
}

const to = (Principal: unknown, statement: object) => ({ ...statement, Principal });
const ALLOWED = 'allowed';
const SILENT = 'implicit deny by identity';

describe('an identity policy allows', () => {
  test.each<[action: string | string[], resource: string | string[], result: string]>([
    ['s3:GetObject', OBJECT, ALLOWED],
    ['S3:getobject', OBJECT, ALLOWED],
    ['s3:Get*', OBJECT, ALLOWED],
    ['s3:Get?bject', OBJECT, ALLOWED],
    ['s3:*', '*', ALLOWED],
    ['*', '*', ALLOWED],
    [['sqs:*', 's3:GetObject'], ['arn:aws:s3:::other/*', 'arn:aws:s3:::bucket/*'], ALLOWED],
    ['s3:GetObjectVersion', OBJECT, SILENT],
    ['s3:GetObjec', OBJECT, SILENT],
    ['sqs:*', '*', SILENT],
    ['s3:GetObject', 'arn:aws:s3:::bucket', SILENT],
    ['s3:GetObject', 'arn:aws:s3:::bucket/a/*', ALLOWED],
    ['s3:GetObject', 'arn:aws:s3:::bucket/*.txt', ALLOWED],
    ['s3:GetObject', 'arn:aws:s3:::bucket/*/b.txt', ALLOWED],
    ['s3:GetObject', 'arn:aws:s3:::bucket/A/*', SILENT],
    ['s3:GetObject', 'arn:aws:s3:::*', ALLOWED],
    ['s3:GetObject', 'arn:aws:s3:::bucke?/a/b?txt', ALLOWED],
    ['s3:GetObject', 'arn:aws:s3:::bucket/?', SILENT],
    ['s3:GetObject', 'arn:aws:s3:::bucket/[a-z]/b.txt', SILENT],
  ])('%j on %j: %s', (action, resource, result) => {
    expect(decide({ identity: [allow(action, resource)] })).toBe(result);
  });

  test('what NotAction and NotResource leave', () => {
    const others = { Effect: 'Allow', NotAction: 's3:Put*', NotResource: 'arn:aws:s3:::bucket/secret/*' };
    expect(decide({ identity: [others] })).toBe(ALLOWED);
    expect(decide({ identity: [others], action: 's3:PutObject' })).toBe(SILENT);
    expect(decide({ identity: [others], resource: 'arn:aws:s3:::bucket/secret/a' })).toBe(SILENT);
  });

  test('when all of its conditions hold', () => {
    const identity = [allow('*', '*', { StringLike: { 's3:prefix': 'a*' }, Bool: { 'aws:SecureTransport': 'true' } })];
    expect(decide({ identity, context: { 's3:prefix': 'ab', 'aws:SecureTransport': 'true' } })).toBe(ALLOWED);
    expect(decide({ identity, context: { 's3:prefix': 'ab', 'aws:SecureTransport': 'false' } })).toBe(SILENT);
    expect(decide({ identity, context: { 's3:prefix': 'b', 'aws:SecureTransport': 'true' } })).toBe(SILENT);
  });

  test('nothing when there is none, nor when the role is gone, whatever the resource says', () => {
    expect(decide({})).toBe(SILENT);
    expect(decide({ identity: null, own: [to('*', allow('*'))] })).toBe(SILENT);
  });
});

describe('an explicit deny wins', () => {
  const all = [allow('*')];

  test.each<[where: string, asked: Asked, result: string]>([
    ['of the identity', { identity: [...all, deny('s3:*')] }, 'explicit deny by identity'],
    ['of the resource', { identity: all, own: [to('*', deny('s3:*'))] }, 'explicit deny by resource'],
    ['of the identity over the resource', { identity: [deny('s3:*')], own: [to('*', allow('*'))] }, 'explicit deny by identity'],
    ['for the role', { identity: all, own: [to({ AWS: ROLE }, deny('*'))] }, 'explicit deny by resource'],
    ['for the session', { identity: all, own: [to({ AWS: SESSION }, deny('*'))] }, 'explicit deny by resource'],
    ['for the account', { identity: all, own: [to({ AWS: '000000000000' }, deny('*'))] }, 'explicit deny by resource'],
    ['but not for another role', { identity: all, own: [to({ AWS: `${ROLE}2` }, deny('*'))] }, ALLOWED],
    ['but not for a service', { identity: all, own: [to({ Service: 's3.amazonaws.com' }, deny('*'))] }, ALLOWED],
    [
      'for all that NotPrincipal leaves',
      { identity: all, own: [{ ...deny('*'), NotPrincipal: { AWS: USER } }] },
      'explicit deny by resource',
    ],
    [
      'but not for whom NotPrincipal names whole',
      { identity: all, own: [{ ...deny('*'), NotPrincipal: { AWS: ['000000000000', ROLE, SESSION] } }] },
      ALLOWED,
    ],
    [
      'also when NotPrincipal names the role without its session',
      { identity: all, own: [{ ...deny('*'), NotPrincipal: { AWS: ['000000000000', ROLE] } }] },
      'explicit deny by resource',
    ],
    [
      'except for roles that a condition names',
      { identity: all, own: [to('*', deny('*', '*', { ArnNotEquals: { 'aws:PrincipalArn': [ROLE] } }))] },
      ALLOWED,
    ],
    [
      'for those that it does not',
      { identity: all, principal: user, own: [to('*', deny('*', '*', { ArnNotEquals: { 'aws:PrincipalArn': [ROLE] } }))] },
      'explicit deny by resource',
    ],
  ])('%s', (_where, asked, result) => {
    expect(decide(asked)).toBe(result);
  });
});

describe("a resource's policy allows by itself", () => {
  test.each<[whom: string, asked: Asked, result: string]>([
    ['the role', { own: [to({ AWS: ROLE }, allow('s3:*'))] }, ALLOWED],
    ['the session', { own: [to({ AWS: SESSION }, allow('s3:*'))] }, ALLOWED],
    ['anyone', { own: [to('*', allow('s3:*'))] }, ALLOWED],
    ['a user', { principal: user, own: [to({ AWS: USER }, allow('s3:*'))] }, ALLOWED],
    ['nobody through the account: that leaves it to identity policies', { own: [to({ AWS: '000000000000' }, allow('s3:*'))] }, SILENT],
    ['the account its root', { principal: root, own: [to({ AWS: ACCOUNT_ROOT_ARN }, allow('s3:*'))] }, ALLOWED],
    ['not another session', { own: [to({ AWS: `${SESSION}2` }, allow('s3:*'))] }, SILENT],
    ['not on another resource', { own: [to('*', allow('s3:*', 'arn:aws:s3:::bucket/z'))] }, SILENT],
  ])('%s', (_whom, asked, result) => {
    expect(decide(asked)).toBe(result);
  });
});

describe('a key', () => {
  const asked = (own: object[], identity: object[] = []): Asked => ({ own, identity, rule: 'key', action: 'kms:Decrypt', resource: KEY });
  const KEY = 'arn:aws:kms:us-east-1:000000000000:key/1';
  const account = { AWS: '000000000000' };

  test.each<[what: string, asked: Asked, result: string]>([
    ['is not opened by an identity policy alone', asked([to({ AWS: USER }, allow('kms:*'))], [allow('*')]), 'implicit deny by resource'],
    ['is by its own policy alone', asked([to({ AWS: ROLE }, allow('kms:*'))]), ALLOWED],
    ['is by both when it hands the decision to the account', asked([to(account, allow('kms:*'))], [allow('kms:Decrypt')]), ALLOWED],
    ['is not when the account says nothing', asked([to(account, allow('kms:*'))]), SILENT],
    ['is not when it hands on other actions', asked([to(account, allow('kms:Encrypt'))], [allow('*')]), 'implicit deny by resource'],
    [
      'is when the role meets the condition under which it hands on',
      asked([to(account, allow('kms:*', '*', { ArnEquals: { 'aws:PrincipalArn': ROLE } }))], [allow('kms:*')]),
      ALLOWED,
    ],
    [
      'is not when it does not',
      asked([to(account, allow('kms:*', '*', { ArnEquals: { 'aws:PrincipalArn': USER } }))], [allow('kms:*')]),
      'implicit deny by resource',
    ],
    [
      'is closed by a deny, also to the account itself',
      { ...asked([to(account, allow('kms:*')), to('*', deny('kms:Decrypt'))], [allow('*')]), principal: root },
      'explicit deny by resource',
    ],
  ])('%s', (_what, question, result) => {
    expect(decide(question)).toBe(result);
  });
});

describe('a service', () => {
  const asked = (own: object[], context: RequestContext = {}): Asked => ({
    principal: s3,
    action: 'sqs:SendMessage',
    resource: 'arn:aws:sqs:us-east-1:000000000000:q',
    identity: [allow('*')],
    own,
    context,
  });
  const fromBucket = allow('sqs:SendMessage', '*', { ArnEquals: { 'aws:SourceArn': 'arn:aws:s3:::bucket' } });

  test.each<[what: string, asked: Asked, result: string]>([
    ['needs the policy of the resource', asked([]), 'implicit deny by resource'],
    ['is named by it', asked([to({ Service: 's3.amazonaws.com' }, allow('sqs:*'))]), ALLOWED],
    ['is anyone too', asked([to('*', allow('sqs:*'))]), ALLOWED],
    ['is not another service', asked([to({ Service: 'sns.amazonaws.com' }, allow('sqs:*'))]), 'implicit deny by resource'],
    ['is not the account', asked([to({ AWS: '000000000000' }, allow('sqs:*'))]), 'implicit deny by resource'],
    ['acts for its resource', asked([to({ Service: s3.service }, fromBucket)], { 'aws:SourceArn': 'arn:aws:s3:::bucket' }), ALLOWED],
    [
      'does not act for another',
      asked([to({ Service: s3.service }, fromBucket)], { 'aws:SourceArn': 'arn:aws:s3:::other' }),
      'implicit deny by resource',
    ],
    ['is denied as anyone', asked([to('*', allow('*')), to('*', deny('sqs:*'))]), 'explicit deny by resource'],
    ['comes by TLS', asked([to('*', allow('*')), to('*', deny('*', '*', { Bool: { 'aws:SecureTransport': 'false' } }))]), ALLOWED],
  ])('%s', (_what, question, result) => {
    expect(decide(question)).toBe(result);
  });
});

describe('the judge knows of the principal', () => {
  test.each<[key: string, principal: Principal | ServicePrincipal, value: string]>([
    ['aws:PrincipalArn', role, ROLE],
    ['aws:PrincipalArn', user, USER],
    ['aws:PrincipalAccount', role, '000000000000'],
    ['aws:PrincipalType', role, 'AssumedRole'],
    ['aws:PrincipalType', user, 'User'],
    ['aws:PrincipalType', root, 'Account'],
    ['aws:userid', role, 'AROAWORKER:one'],
    ['aws:username', user, 'ann'],
    ['aws:PrincipalIsAWSService', role, 'false'],
    ['aws:PrincipalIsAWSService', s3, 'true'],
    ['aws:PrincipalServiceName', s3, 's3.amazonaws.com'],
    ['aws:RequestedRegion', role, 'us-east-1'],
    ['aws:ResourceAccount', role, '000000000000'],
  ])('%s of %o is %s', (key, principal, value) => {
    const own = [to('*', allow('*', '*', { StringEquals: { [key]: value } }))];
    expect(decide({ principal, own })).toBe(ALLOWED);
  });

  test('nothing that it does not have', () => {
    const absent = (key: string) => [to('*', allow('*', '*', { Null: { [key]: 'true' } }))];
    expect(decide({ own: absent('aws:username') })).toBe(ALLOWED);
    expect(decide({ principal: root, own: absent('aws:username') })).toBe(ALLOWED);
    expect(decide({ principal: s3, own: absent('aws:PrincipalArn') })).toBe(ALLOWED);
    expect(decide({ own: absent('aws:SourceArn') })).toBe(ALLOWED);
  });
});

test('a refusal is worded as AWS words it', () => {
  const request = { principal: role, action: 's3:GetObject', resource: OBJECT, context: {}, resourcePolicy: null };
  const start = `User: ${SESSION} is not authorized to perform: s3:GetObject on resource: ${OBJECT}`;
  expect(refusalSentence(request, { allowed: false, explicit: false, by: 'identity' })).toBe(
    `${start} because no identity-based policy allows the s3:GetObject action`,
  );
  expect(refusalSentence(request, { allowed: false, explicit: false, by: 'resource' })).toBe(
    `${start} because no resource-based policy allows the s3:GetObject action`,
  );
  expect(refusalSentence(request, { allowed: false, explicit: true, by: 'identity' })).toBe(
    `${start} with an explicit deny in an identity-based policy`,
  );
  expect(refusalSentence(request, { allowed: false, explicit: true, by: 'resource' })).toBe(
    `${start} with an explicit deny in a resource-based policy`,
  );
});
