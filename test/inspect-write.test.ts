import { GetObjectTaggingCommand, HeadObjectCommand, type HeadObjectCommandOutput, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import type { ObjectWritten } from '../src/events/index.ts';
import { type InspectDeps, inspectWrite } from '../src/inspect-write.ts';
import { auditWorld, BY_POLICY } from './fixtures/audit-world.ts';
import { headError, s3Error } from './fixtures/aws.ts';
import { ETAG, MANAGED_KEY, STACK_KEY, TARGET_BUCKET } from './fixtures/objects.ts';

const OWN_KEY = 'arn:aws:kms:us-east-1:000000000000:key/22222222-2222-3333-4444-555555555555';
const FORMER_KEY = 'arn:aws:kms:us-east-1:000000000000:key/33333333-2222-3333-4444-555555555555';

const POLICY = `
version: 1
rules:
  - { match: { prefix: cards/ }, encryption: { mode: sse-c } }
  - { match: { prefix: dsse/ }, encryption: { mode: dsse-kms, key: '${OWN_KEY}' } }
  - { match: { prefix: managed/ }, encryption: { mode: sse-kms, key: aws/s3 } }
  - { match: { prefix: typed/, contentType: application/pdf }, encryption: { mode: dsse-kms } }
  - { match: { prefix: typed/ }, encryption: { mode: sse-s3 } }
  - { match: { prefix: tagged/, tags: { class: secret } }, encryption: { mode: sse-c } }
  - { match: { prefix: small/, size: { below: 12 } }, encryption: { mode: sse-s3 } }
  - { match: { prefix: sealed/, size: { below: 12 } }, encryption: { mode: cse-kms } }
default: { encryption: { mode: sse-kms, bucketKey: true } }
formerKeys: ['${FORMER_KEY}']
`;

/** How S3 answers for an object under SSE-C when it is asked without a key. */
const UNDER_A_KEY = 400;

function world(stored: Partial<HeadObjectCommandOutput> | number, tags: Record<string, string> = {}) {
  const audit = auditWorld({ policyText: POLICY, stored: typeof stored === 'number' ? {} : stored });
  if (typeof stored === 'number') audit.s3.on(HeadObjectCommand).rejects(headError(stored));
  audit.s3.on(GetObjectTaggingCommand).resolves({ TagSet: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) });
  const written: ObjectWritten = {
    kind: 'written',
    operation: 'Put',
    bucket: TARGET_BUCKET,
    key: 'a.txt',
    size: 12,
    etag: ETAG,
    uniqueId: '0A',
    eventTime: '2026-11-20T09:31:15.123Z',
    correlationId: 'r',
    principal: 'AWS:X:y',
  };
  const inspect = (key: string, deps: Partial<InspectDeps> = {}) =>
    inspectWrite({ ...written, key, versionId: 'v1' }, { ...audit.deps, ...deps });
  const inspectUnversioned = (key: string) => inspectWrite({ ...written, key }, audit.deps);
  return { ...audit, inspect, inspectUnversioned, tagCalls: () => audit.s3.commandCalls(GetObjectTaggingCommand).length };
}

const SSE_S3 = { ServerSideEncryption: 'AES256' } as const;
const kms = (SSEKMSKeyId: string, BucketKeyEnabled = false) => ({
  ServerSideEncryption: 'aws:kms' as const,
  SSEKMSKeyId,
  BucketKeyEnabled,
});
const dsse = (SSEKMSKeyId: string) => ({ ServerSideEncryption: 'aws:kms:dsse' as const, SSEKMSKeyId });

describe('a message', () => {
  const coded = (mode: string, more = {}) => ({ ...kms(STACK_KEY, true), ContentEncoding: `gzip, x-sealdrop-${mode}`, ...more });

  it('is as policy.yml says, whatever its length is beside that of its source', async () => {
    expect(await world(coded('cse-kms')).inspect('sealed/1')).toEqual({ encryption: { mode: 'cse-kms' }, drift: null });
  });

  it.each([
    ['of a mode that nothing means there', 'sealed/1', coded('cse-aes'), 'found cse-aes; policy.yml says cse-kms or sse-kms'],
    ['where S3 is to encrypt', 'cards/1', coded('cse-kms'), 'found cse-kms; policy.yml says sse-c'],
  ])('%s is drift', async (_, key, stored, drift) => {
    expect(await world(stored).inspect(key)).toMatchObject({ drift });
  });

  it.each([
    ['under another key', kms(OWN_KEY, true)],
    ['without the Bucket Key', kms(STACK_KEY, false)],
  ])('that S3 stores %s is drift', async (_, stored) => {
    const { encryption, drift } = (await world(coded('cse-kms', stored)).inspect('sealed/1')) ?? {};
    expect(encryption).toEqual({ mode: 'cse-kms' });
    expect(drift).toContain(`messages are stored as sse-kms under ${STACK_KEY} with the Bucket Key on`);
  });

  it('that S3 does not encrypt once more is taken for what S3 says', async () => {
    const { encryption } = (await world(coded('cse-kms', { ServerSideEncryption: 'AES256' })).inspect('sealed/1')) ?? {};
    expect(encryption).toMatchObject({ mode: 'sse-s3' });
  });
});

describe('an object that is as policy.yml says', () => {
  it.each<[key: string, stored: Partial<HeadObjectCommandOutput> | number]>([
    ['a.txt', BY_POLICY],
    ['cards/1', UNDER_A_KEY],
    ['dsse/1', dsse(OWN_KEY)],
    ['managed/1', kms(MANAGED_KEY)],
    ['typed/1.txt', { ...SSE_S3, ContentType: 'text/plain' }],
    ['typed/1.pdf', { ...dsse(STACK_KEY), ContentType: 'application/pdf' }],
    ['small/1', BY_POLICY],
  ])('is no drift: %s', async (key, stored) => {
    expect(await world(stored).inspect(key)).toMatchObject({ drift: null });
  });
});

describe('an object that is not', () => {
  it.each<[key: string, stored: Partial<HeadObjectCommandOutput> | number, drift: RegExp]>([
    ['a.txt', SSE_S3, /^found sse-s3; policy.yml says sse-kms under .* with the Bucket Key on$/],
    ['a.txt', kms(STACK_KEY, false), /^found sse-kms under .* Bucket Key off; /],
    ['a.txt', kms(OWN_KEY, true), /2222/],
    ['a.txt', kms(FORMER_KEY, true), /3333/],
    ['a.txt', kms(MANAGED_KEY, true), /9999/],
    ['a.txt', dsse(STACK_KEY), /^found dsse-kms/],
    ['a.txt', UNDER_A_KEY, /^found sse-c; /],
    ['cards/1', SSE_S3, /^found sse-s3; policy.yml says sse-c$/],
    ['managed/1', kms(STACK_KEY), /^found sse-kms under .*1111/],
    ['managed/1', kms(MANAGED_KEY, true), /Bucket Key on; /],
    ['dsse/1', dsse(STACK_KEY), /^found dsse-kms under .*1111/],
    ['typed/1.pdf', { ...SSE_S3, ContentType: 'application/pdf' }, /^found sse-s3; policy.yml says dsse-kms/],
    ['typed/1', UNDER_A_KEY, /^found sse-c; policy.yml says dsse-kms under .* or sse-s3$/],
  ])('is drift: %s', async (key, stored, drift) => {
    expect(await world(stored).inspect(key)).toMatchObject({ drift: expect.stringMatching(drift) });
  });
});

describe('tags', () => {
  it.each([
    ['secret', UNDER_A_KEY, null],
    ['open', UNDER_A_KEY, /^found sse-c; policy.yml says sse-kms/],
    ['secret', BY_POLICY, /^found sse-kms .*; policy.yml says sse-c$/],
    ['open', BY_POLICY, null],
  ])('%s decide where both encryptions stand open', async (value, stored, drift) => {
    const { inspect, tagCalls } = world(stored, { class: value });
    const inspection = await inspect('tagged/1');
    if (drift === null) expect(inspection).toMatchObject({ drift: null });
    else expect(inspection?.drift).toMatch(drift);
    expect(tagCalls()).toBe(1);
  });

  it('are not looked up where no answer could change the verdict', async () => {
    for (const [key, stored] of [
      ['tagged/1', SSE_S3],
      ['a.txt', SSE_S3],
      ['a.txt', BY_POLICY],
    ] as const) {
      const { inspect, tagCalls } = world(stored);
      await inspect(key);
      expect(tagCalls()).toBe(0);
    }
  });

  it.each(['NoSuchKey', 'NoSuchVersion', 'MethodNotAllowed'])('that are gone (%s) mean that the version is', async (name) => {
    const { s3, inspect } = world(BY_POLICY);
    s3.on(GetObjectTaggingCommand).rejects(s3Error(name, 404));
    expect(await inspect('tagged/1')).toBeNull();
  });

  it.each([
    ['AccessDenied', 403, 'access-denied'],
    ['NoSuchBucket', 404, 'target-missing'],
    ['SlowDown', 503, 'throttled'],
  ])('refused with %s are %3$s', async (name, status, code) => {
    const { s3, inspect } = world(BY_POLICY);
    s3.on(GetObjectTaggingCommand).rejects(s3Error(name, status));
    await expect(inspect('tagged/1')).rejects.toMatchObject({ code });
  });
});

describe('a HEAD', () => {
  it.each([404, 405, 412])('of %d means that the version is gone', async (status) => {
    expect(await world(status).inspect('a.txt')).toBeNull();
  });

  it.each([
    [403, 'access-denied', false],
    [500, 'service-unavailable', true],
    [503, 'service-unavailable', true],
  ])('of %d is %s', async (status, code, retryable) => {
    await expect(world(status).inspect('a.txt')).rejects.toMatchObject({ code, retryable });
  });

  it('that says nothing of encryption is a mismatch, never sse-s3', async () => {
    await expect(world({}).inspect('a.txt')).rejects.toMatchObject({ code: 'answer-mismatch' });
  });
});

describe('a HEAD of 400', () => {
  it.each([
    ['ExpiredToken', 400, 'service-unavailable'],
    ['AccessDenied', 403, 'access-denied'],
    ['SlowDown', 503, 'throttled'],
  ])('proves SSE-C only if a call without a key gets through, not after %s', async (name, status, code) => {
    const { s3, inspect } = world(UNDER_A_KEY);
    s3.on(GetObjectTaggingCommand).rejects(s3Error(name, status));
    await expect(inspect('cards/1')).rejects.toMatchObject({ code });
  });

  it('of a version that is gone by now says nothing', async () => {
    const { s3, inspect } = world(UNDER_A_KEY);
    s3.on(GetObjectTaggingCommand).rejects(s3Error('NoSuchVersion', 404));
    expect(await inspect('cards/1')).toBeNull();
  });

  it.each([
    [`"${ETAG}"`, { encryption: { mode: 'sse-c' }, drift: null }],
    ['"of-what-came-after"', null],
    [undefined, null],
  ])('without versions is about what the event names only if it is still there: %s', async (listed, inspection) => {
    const { s3, inspectUnversioned } = world(UNDER_A_KEY);
    s3.on(ListObjectsV2Command).resolves(listed === undefined ? {} : { Contents: [{ Key: 'cards/1', ETag: listed }] });
    expect(await inspectUnversioned('cards/1')).toEqual(inspection);
    expect(s3.commandCalls(ListObjectsV2Command)[0]?.args[0].input).toMatchObject({ Prefix: 'cards/1', MaxKeys: 1, EncodingType: 'url' });
  });

  it('of a version needs no listing', async () => {
    const { s3, inspect } = world(UNDER_A_KEY);
    await inspect('cards/1');
    expect(s3.commandCalls(ListObjectsV2Command)).toEqual([]);
  });
});

describe('a write without a version id', () => {
  it.each([404, 412])('that newer versions lie above (HEAD: %d) is found as the version null', async (status) => {
    const { s3, inspectUnversioned } = world(SSE_S3);
    s3.on(HeadObjectCommand, { VersionId: undefined }).rejects(headError(status));
    expect(await inspectUnversioned('a.txt')).toMatchObject({ encryption: { mode: 'sse-s3' }, drift: expect.any(String) });
    expect(s3.commandCalls(HeadObjectCommand).map((call) => call.args[0].input.VersionId)).toEqual([undefined, 'null']);
  });

  it('that is nowhere is gone', async () => {
    expect(await world(412).inspectUnversioned('a.txt')).toBeNull();
  });
});

describe('aws/s3', () => {
  it('is described only where a rule that may apply names it', async () => {
    const { kms: calls, inspect } = world(BY_POLICY);
    await inspect('a.txt');
    expect(calls.calls()).toHaveLength(0);
    await inspect('managed/1');
    expect(calls.calls()).toHaveLength(1);
  });

  it('that cannot be described is an error of its own, not drift', async () => {
    const managedKeyArn = () => Promise.reject(new Error('no'));
    await expect(world(kms(MANAGED_KEY)).inspect('managed/1', { managedKeyArn })).rejects.toThrow('no');
  });
});
