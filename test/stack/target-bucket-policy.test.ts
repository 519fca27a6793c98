import { describe, expect, it } from 'vitest';
import { ACCOUNT_ID, REGION } from '../../sandbox/account.ts';
import { type AskedEncryption, certainByKey } from '../../src/policy/certain.ts';
import type { Policy } from '../../src/policy/schema.ts';
import type { Stack } from '../../stack/stack.ts';
import { randomNumbers } from '../random-numbers.ts';
import { BREAK_GLASS, documentOf, type GivenRule, judged, KEY_ARN, policyOf, roleArn, STACK_KEY_ARN, stackOf } from './stack.ts';

const BUCKET = `arn:aws:s3:::sealdrop-qa-target-${ACCOUNT_ID}-${REGION}`;
const OTHER_KEY = KEY_ARN.replaceAll('1', '7');
const ALGORITHM = 's3:x-amz-server-side-encryption';
const KMS_KEY = 's3:x-amz-server-side-encryption-aws-kms-key-id';
const CUSTOMER = 's3:x-amz-server-side-encryption-customer-algorithm';

/** What a writer may say, as S3's condition keys show it. */
const NOTHING = {};
const SSE_S3 = { [ALGORITHM]: 'AES256' };
const SSE_C = { [CUSTOMER]: 'AES256' };
const kms = (key?: string) => ({ [ALGORITHM]: 'aws:kms', ...(key === undefined ? {} : { [KMS_KEY]: key }) });
const dsse = (key?: string) => ({ [ALGORITHM]: 'aws:kms:dsse', ...(key === undefined ? {} : { [KMS_KEY]: key }) });
const EVERY_WAY = [
  NOTHING,
  SSE_S3,
  SSE_C,
  kms(),
  kms(STACK_KEY_ARN),
  kms(KEY_ARN),
  kms(OTHER_KEY),
  dsse(),
  dsse(STACK_KEY_ARN),
  dsse(KEY_ARN),
  dsse(OTHER_KEY),
];

const documentFor = (policy: Policy, settings: Partial<Stack['settings']> = {}) =>
  documentOf(stackOf(policy, settings), 'TargetBucketPolicy', 'PolicyDocument');

function writer(policy: Policy) {
  const document = documentFor(policy);
  return (key: string, context: Record<string, string>) =>
    judged(document, { role: roleArn('encrypt'), action: 's3:PutObject', resource: `${BUCKET}/${key}`, context }).allowed;
}

describe('the target bucket, to writers', () => {
  it('refuses a write that says no encryption, or another', () => {
    const mayWrite = writer(policyOf());
    expect(EVERY_WAY.filter((headers) => mayWrite('a', headers))).toEqual([kms(STACK_KEY_ARN)]);
  });

  it('takes aws/s3 as a write that names no key', () => {
    const mayWrite = writer(policyOf([], { mode: 'sse-kms', key: 'aws/s3' }));
    expect(EVERY_WAY.filter((headers) => mayWrite('a', headers))).toEqual([kms()]);
  });

  it('takes aws/s3 beside a named key as either', () => {
    const rules = [{ match: { tags: { a: 'b' } }, encryption: { mode: 'dsse-kms', key: KEY_ARN } }];
    const mayWrite = writer(policyOf(rules, { mode: 'dsse-kms', key: 'aws/s3' }));
    expect(EVERY_WAY.filter((headers) => mayWrite('a', headers))).toEqual([dsse(), dsse(KEY_ARN)]);
  });

  it('takes SSE-C by its own header, alone or beside others', () => {
    expect(EVERY_WAY.filter((headers) => writer(policyOf([], { mode: 'sse-c' }))('a', headers))).toEqual([SSE_C]);
    const either = writer(policyOf([{ match: { size: { below: 9 } }, encryption: { mode: 'sse-c' } }], { mode: 'sse-s3' }));
    expect(EVERY_WAY.filter((headers) => either('a', headers))).toEqual([SSE_S3, SSE_C]);
  });

  it('holds a prefix to exactly the encryption of its rule', () => {
    const mayWrite = writer(policyOf([{ match: { prefix: 'cards/' }, encryption: { mode: 'sse-c' } }]));
    expect(EVERY_WAY.filter((headers) => mayWrite('cards/1', headers))).toEqual([SSE_C]);
    expect(EVERY_WAY.filter((headers) => mayWrite('cards', headers))).toEqual([kms(STACK_KEY_ARN)]);
  });

  it('does not take a former key for a new object', () => {
    const mayWrite = writer(policyOf([], { mode: 'sse-kms' }, [KEY_ARN]));
    expect(mayWrite('a', kms(KEY_ARN))).toBe(false);
  });

  it.each(['a*b/', 'a?b/', 'a$b/', 'a$', 'a/{b}:c/', 'a b+c/', `\${aws:username}/`, `\${sls:stage}`])(
    'means the prefix %s to the letter',
    (prefix) => {
      const mayWrite = writer(policyOf([{ match: { prefix }, encryption: { mode: 'sse-s3' } }]));
      expect(EVERY_WAY.filter((headers) => mayWrite(`${prefix}x`, headers))).toEqual([SSE_S3]);
      const other = prefix.replace(/[*?$]/, 'Z');
      if (other !== prefix) expect(EVERY_WAY.filter((headers) => mayWrite(`${other}x`, headers))).toEqual([kms(STACK_KEY_ARN)]);
    },
  );

  it.each(['é/', '漢字/', 'a\\b/', 'a\n/'])(
    'never refuses what the policy says of the prefix %j, which a policy may not be able to say',
    (prefix) => {
      const mayWrite = writer(policyOf([{ match: { prefix }, encryption: { mode: 'sse-s3' } }]));
      expect(mayWrite(`${prefix}x`, SSE_S3)).toBe(true);
      expect(mayWrite('b', kms(STACK_KEY_ARN))).toBe(true);
      expect(mayWrite(`${prefix}x`, kms(KEY_ARN))).toBe(false);
    },
  );

  it('takes exactly what the policy leaves possible under a key, whatever the policy', () => {
    const random = randomNumbers(3);
    let narrowed = 0;
    for (let round = 0; round < 250; round += 1) {
      const policy = randomPolicy(random);
      const mayWrite = writer(policy);
      const { anywhere, within, elsewhere } = certainByKey(policy);
      for (const key of [text(random, 4), text(random, 6), `${text(random, 2)}:${text(random, 2)}`]) {
        const own = within
          .filter(({ keys }) => key.startsWith(keys.prefix) && key.endsWith(keys.suffix))
          .map(({ encryptions }) => encryptions);
        const lists = own.length > 0 ? own : [elsewhere];
        const possible = anywhere.filter((encryption) => lists.every((list) => list.some((each) => same(each, encryption))));
        if (possible.length < anywhere.length) narrowed += 1;
        const taken = EVERY_WAY.filter((headers) => mayWrite(key, headers));
        expect(taken, `${JSON.stringify(policy)} ${key}`).toEqual(
          EVERY_WAY.filter((headers) => possible.some((each) => same(headersOf(each), headers))),
        );
      }
    }
    expect(narrowed).toBeGreaterThan(100);
  });
});

describe('the target bucket, to readers', () => {
  const policy = policyOf();
  const others = ['s3:GetObjectAttributes', 's3:GetObjectVersionAttributes', 's3:GetObjectVersionForReplication', 's3:GetObjectTorrent'];
  const reads = ['s3:GetObject', 's3:GetObjectVersion', ...others];
  const mayRead = (role: string, action: string, breakGlass: string[] = []) =>
    judged(documentFor(policy, { breakGlass }), { role, action, resource: `${BUCKET}/a` }).allowed;

  it('gives each function the reads that it has a right to, and nobody else any', () => {
    const names = ['encrypt', 'audit', 'authorize', 'download', 'list', 'history', 'health'];
    const readers = (action: string) => names.filter((name) => mayRead(roleArn(name), action));
    expect(readers('s3:GetObject')).toEqual(['encrypt', 'audit', 'download']);
    expect(readers('s3:GetObjectVersion')).toEqual(['audit', 'download']);
    for (const action of others) expect(readers(action)).toEqual([]);
    expect(reads.filter((action) => mayRead(`arn:aws:iam::${ACCOUNT_ID}:role/Admin`, action))).toEqual([]);
  });

  it.each([
    [{}, true],
    [{ 's3:signatureAge': '0' }, true],
    [{ 's3:signatureAge': '360000' }, true],
    [{ 's3:signatureAge': '360001' }, false],
  ])('takes of signed URLs those of minutes alone: %j → %j', (context, allowed) => {
    for (const action of ['s3:GetObject', 's3:GetObjectVersion']) {
      const asked = { role: roleArn('download'), action, resource: `${BUCKET}/a`, context };
      expect(judged(documentFor(policy), asked).allowed).toBe(allowed);
    }
  });

  it('gives them to break-glass, if there is one', () => {
    expect(reads.filter((action) => mayRead(BREAK_GLASS, action, [BREAK_GLASS]))).toEqual(reads);
    expect(reads.filter((action) => mayRead(BREAK_GLASS, action))).toEqual([]);
  });

  it('lets nobody change how an object is encrypted in place', () => {
    expect(mayRead(BREAK_GLASS, 's3:UpdateObjectEncryption', [BREAK_GLASS])).toBe(false);
  });

  it.each(['s3:ReplicateObject', 's3:ReplicateDelete', 's3:ReplicateTags', 's3:ObjectOwnerOverrideToBucketOwner'])(
    'takes nothing from replication, whoever set it up: %s',
    (action) => {
      for (const role of [roleArn('encrypt'), BREAK_GLASS, `arn:aws:iam::${ACCOUNT_ID}:role/replication`]) {
        expect(mayRead(role, action, [BREAK_GLASS])).toBe(false);
      }
    },
  );

  it('never shuts the account out of its own bucket', () => {
    const role = `arn:aws:iam::${ACCOUNT_ID}:role/Admin`;
    for (const action of [
      's3:PutBucketPolicy',
      's3:DeleteBucketPolicy',
      's3:GetBucketPolicy',
      's3:ListBucket',
      's3:PutEncryptionConfiguration',
    ]) {
      const context = { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3' };
      expect(judged(documentFor(policy), { role, action, resource: BUCKET, context }).allowed).toBe(true);
    }
  });

  it.each([
    [{ 'aws:SecureTransport': 'false' }, false],
    [{ 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.1' }, false],
    [{ 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.2' }, true],
    [{ 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3' }, true],
  ])('judges TLS: %j', (context, allowed) => {
    const asked = { role: roleArn('download'), action: 's3:GetObject', resource: `${BUCKET}/a`, context };
    expect(judged(documentFor(policy), asked).allowed).toBe(allowed);
  });
});

function headersOf({ mode, key }: AskedEncryption) {
  const arn = key === undefined ? STACK_KEY_ARN : key === 'aws/s3' ? undefined : key;
  return { 'sse-s3': SSE_S3, 'sse-c': SSE_C, 'sse-kms': kms(arn), 'dsse-kms': dsse(arn) }[mode];
}

function same(a: object, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function randomPolicy(random: (below: number) => number): Policy {
  const ways = [
    { mode: 'sse-c' },
    { mode: 'sse-s3' },
    { mode: 'sse-kms' },
    { mode: 'dsse-kms' },
    { mode: 'sse-kms', key: KEY_ARN },
    { mode: 'sse-kms', key: 'aws/s3' },
    { mode: 'dsse-kms', key: 'aws/s3' },
  ];
  const encryption = () => ways[random(ways.length)] ?? { mode: 'sse-s3' };
  const rules = Array.from({ length: random(4) }, (): GivenRule => {
    const match = {
      ...(random(3) > 0 ? { prefix: `${text(random, 1)}a` } : {}),
      ...(random(3) === 0 ? { suffix: `b${text(random, 1)}` } : {}),
      ...(random(4) === 0 ? { size: { below: 5 } } : {}),
    };
    return { match: Object.keys(match).length > 0 ? match : { tags: { a: 'b' } }, encryption: encryption() };
  });
  return policyOf(rules, encryption());
}

function text(random: (below: number) => number, longest: number): string {
  return Array.from({ length: random(longest + 1) }, () => (random(2) === 0 ? 'a' : 'b')).join('');
}
