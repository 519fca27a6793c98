import { GetObjectTaggingCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { decideEncryption } from '../src/decide-encryption.ts';
import { headError, s3Error } from './fixtures/aws.ts';
import { encryptWorld } from './fixtures/encrypt-world.ts';
import { ETAG, INGEST_BUCKET, INGEST_OWNER, MANAGED_KEY, objectRef, STACK_KEY, VERSION_ID } from './fixtures/objects.ts';

const OWN_KEY = 'arn:aws:kms:us-east-1:000000000000:key/22222222-2222-3333-4444-555555555555';

const COSTLY = `
version: 1
rules:
  - { match: { prefix: hr/, contentType: application/pdf }, encryption: { mode: dsse-kms } }
  - { match: { prefix: hr/, tags: { class: secret } }, encryption: { mode: sse-c } }
default: { encryption: { mode: sse-s3 } }
`;

const SOURCE = { Bucket: INGEST_BUCKET, ExpectedBucketOwner: INGEST_OWNER, Key: 'hr/1', VersionId: VERSION_ID };

function costly(contentType: string | undefined, tags: Record<string, string> = {}) {
  const world = encryptWorld(COSTLY);
  world.s3.on(HeadObjectCommand).resolves(contentType === undefined ? {} : { ContentType: contentType });
  world.s3.on(GetObjectTaggingCommand).resolves({ TagSet: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) });
  return { world, decide: async (key = 'hr/1') => (await decideEncryption(objectRef({ key }), world.deps)).encryption };
}

describe('decideEncryption', () => {
  it('looks nothing up that no rule turns on', async () => {
    const { world, decide } = costly('application/pdf');
    expect(await decide('reports/1')).toEqual({ mode: 'sse-s3' });
    expect(world.s3.calls()).toHaveLength(0);
  });

  it('looks up the content type of the pinned source, and stops at the rule that matches', async () => {
    const { world, decide } = costly('application/pdf');
    expect(await decide()).toEqual({ mode: 'dsse-kms', keyArn: STACK_KEY });
    expect(world.s3.calls()).toHaveLength(1);
    expect(world.s3.commandCalls(HeadObjectCommand)[0]?.args[0].input).toEqual({ ...SOURCE, IfMatch: ETAG });
  });

  it('looks up tags when the rule before did not match', async () => {
    const { world, decide } = costly('text/plain', { class: 'secret' });
    expect(await decide()).toMatchObject({ mode: 'sse-c' });
    expect(world.s3.commandCalls(GetObjectTaggingCommand)[0]?.args[0].input).toEqual(SOURCE);
    expect(world.s3.calls()).toHaveLength(2);
  });

  it('takes an object without type or tags as S3 does', async () => {
    expect(await costly(undefined).decide()).toEqual({ mode: 'sse-s3' });
  });

  it.each([
    ['ExpiredToken', 400, 'service-unavailable', true],
    ['NoSuchVersion', 404, 'source-gone', false],
  ])('a HEAD refused with 400 is what a call without a key says, if it fails as well: %s', async (name, status, code, retryable) => {
    const { world, decide } = costly('application/pdf');
    world.s3.on(HeadObjectCommand).rejects(headError(400));
    world.s3.on(GetObjectTaggingCommand).rejects(s3Error(name, status));
    await expect(decide()).rejects.toMatchObject({ code, retryable });
  });

  it.each([
    [404, 'source-gone', false],
    [405, 'source-gone', false],
    [412, 'source-changed', true],
    [400, 'source-unreadable', false],
    [403, 'source-unreadable', false],
    [500, 'service-unavailable', true],
    [503, 'service-unavailable', true],
  ])('a HEAD refused with %d is %s', async (status, code, retryable) => {
    const { world, decide } = costly('');
    world.s3.on(HeadObjectCommand).rejects(headError(status));
    await expect(decide()).rejects.toMatchObject({ code, retryable, object: { key: 'hr/1' } });
  });

  it.each([
    ['NoSuchKey', 404, 'source-gone'],
    ['NoSuchVersion', 404, 'source-gone'],
    ['NoSuchBucket', 404, 'source-gone'],
    ['MethodNotAllowed', 405, 'source-gone'],
    ['AccessDenied', 403, 'source-unreadable'],
    ['SlowDown', 503, 'throttled'],
  ])('tags refused with %s are %3$s', async (name, status, code) => {
    const { world, decide } = costly('text/plain');
    world.s3.on(GetObjectTaggingCommand).rejects(s3Error(name, status));
    await expect(decide()).rejects.toMatchObject({ code });
  });

  it.each([
    ['{ mode: sse-kms }', { mode: 'sse-kms', keyArn: STACK_KEY, bucketKey: false }],
    ['{ mode: sse-kms, bucketKey: true }', { mode: 'sse-kms', keyArn: STACK_KEY, bucketKey: true }],
    [`{ mode: sse-kms, key: "${OWN_KEY}" }`, { mode: 'sse-kms', keyArn: OWN_KEY, bucketKey: false }],
    ['{ mode: sse-kms, key: aws/s3 }', { mode: 'sse-kms', keyArn: MANAGED_KEY, managed: true, bucketKey: false }],
    [`{ mode: dsse-kms, key: "${OWN_KEY}" }`, { mode: 'dsse-kms', keyArn: OWN_KEY }],
    ['{ mode: dsse-kms, key: aws/s3 }', { mode: 'dsse-kms', keyArn: MANAGED_KEY, managed: true }],
    ['{ mode: sse-s3 }', { mode: 'sse-s3' }],
  ])('resolves %s to full ARNs', async (encryption, resolved) => {
    const world = encryptWorld(`version: 1\ndefault: { encryption: ${encryption} }`);
    expect(await decideEncryption(objectRef(), world.deps)).toEqual({ encryption: resolved });
    expect(world.secretsManager.calls()).toHaveLength(0);
    expect(world.kms.calls()).toHaveLength(encryption.includes('aws/s3') ? 1 : 0);
  });
});
