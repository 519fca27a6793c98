import { HeadObjectCommand, type HeadObjectCommandInput } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { resolveKey } from '../src/resolve-key.ts';
import { headError, mockAws } from './fixtures/aws.ts';
import { ETAG, INGEST_BUCKET, INGEST_OWNER, objectRef, VERSION_ID } from './fixtures/objects.ts';

const AMBIGUOUS = objectRef({ key: 'a+b', alternativeKey: 'a b' });
const NETWORK = Object.assign(new Error('no'), { name: 'TimeoutError' });

/** @param answers to a HEAD, by key; `null`: the object is there */
function resolving(answers: Record<string, Error | null>) {
  const { clients, s3 } = mockAws();
  s3.on(HeadObjectCommand).callsFake(async ({ Key = '' }: HeadObjectCommandInput) => {
    const answer = answers[Key];
    if (answer) throw answer;
    return {};
  });
  const asked = () => s3.commandCalls(HeadObjectCommand).map((call) => call.args[0].input);
  return { resolve: (ref = AMBIGUOUS) => resolveKey(ref, { s3: clients.s3, ingestBucketOwner: INGEST_OWNER }), asked };
}

describe('resolveKey', () => {
  it('asks nothing where there is one reading', async () => {
    const { resolve, asked } = resolving({});
    expect(await resolve(objectRef())).toEqual(objectRef());
    expect(asked()).toEqual([]);
  });

  it('asks for the very object of the event, in a bucket of the expected account', async () => {
    const { resolve, asked } = resolving({});
    await resolve();
    expect(asked()).toEqual([
      { Bucket: INGEST_BUCKET, ExpectedBucketOwner: INGEST_OWNER, Key: 'a+b', VersionId: VERSION_ID, IfMatch: ETAG },
    ]);
  });

  it('takes the key as it stands when that is the object', async () => {
    const { resolve, asked } = resolving({ 'a b': headError(404) });
    const resolved = await resolve();
    expect(resolved).toEqual(objectRef({ key: 'a+b' }));
    expect(resolved).not.toHaveProperty('alternativeKey');
    expect(asked()).toHaveLength(1);
  });

  it.each([
    [404, 'is missing'],
    [405, 'is a delete marker'],
    [412, 'is another object'],
  ])('reads it the other way when the answer is %d: the key as it stands %s', async (status) => {
    const { resolve } = resolving({ 'a+b': headError(status) });
    expect(await resolve()).toEqual(objectRef({ key: 'a b' }));
  });

  it('keeps the first reading when neither is there, so that one of them is gone by name', async () => {
    const { resolve, asked } = resolving({ 'a+b': headError(404), 'a b': headError(404) });
    expect(await resolve()).toEqual(objectRef({ key: 'a+b' }));
    expect(asked()).toHaveLength(2);
  });

  it.each([400, 403])('takes a refusal by %d for something that is there: the copy will tell what is wrong', async (status) => {
    const { resolve } = resolving({ 'a+b': headError(status) });
    expect(await resolve()).toEqual(objectRef({ key: 'a+b' }));
  });

  it.each([
    ['a 503', headError(503), 'service-unavailable'],
    ['a 500', headError(500), 'service-unavailable'],
    ['no answer', NETWORK, 'time-out'],
  ])('decides nothing after %s', async (_what, error, code) => {
    const first = resolving({ 'a+b': error });
    await expect(first.resolve()).rejects.toMatchObject({ code, retryable: true });
    const second = resolving({ 'a+b': headError(404), 'a b': error });
    await expect(second.resolve()).rejects.toMatchObject({ code, retryable: true });
  });
});
