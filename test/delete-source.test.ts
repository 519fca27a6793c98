import { type BucketVersioningStatus, GetBucketVersioningCommand } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createVersioningCheck } from '../src/delete-source.ts';
import { loadPolicy } from '../src/policy/load.ts';
import { mockAws, s3Error } from './fixtures/aws.ts';
import { INGEST_BUCKET, INGEST_OWNER } from './fixtures/objects.ts';

afterEach(() => void vi.restoreAllMocks());

const policyText = (source: 'keep' | 'delete') => `
version: 1
default: { encryption: { mode: sse-s3 } }
source: ${source}
`;

function checking(source: 'keep' | 'delete', status?: BucketVersioningStatus) {
  const { clients, s3 } = mockAws();
  s3.on(GetBucketVersioningCommand).resolves(status === undefined ? {} : { Status: status });
  const check = createVersioningCheck({ s3: clients.s3, ingestBucketOwner: INGEST_OWNER, policy: loadPolicy(policyText(source)) });
  const asked = () => s3.commandCalls(GetBucketVersioningCommand).map((call) => call.args[0].input);
  return { check, asked, s3 };
}

describe('createVersioningCheck', () => {
  it('asks nothing where sources are kept', async () => {
    const { check, asked } = checking('keep');
    await check(INGEST_BUCKET);
    expect(asked()).toEqual([]);
  });

  it.each([
    ['never was', undefined],
    ['Suspended', 'Suspended' as const],
  ])('refuses to delete from a bucket whose versioning is "%s", for good and by name', async (words, status) => {
    const { check } = checking('delete', status);
    await expect(check(INGEST_BUCKET)).rejects.toMatchObject({
      code: 'config-invalid',
      retryable: false,
      message: expect.stringContaining(`bucket ${INGEST_BUCKET} is not versioned (${words})`),
    });
  });

  it('asks once a bucket, of the expected account', async () => {
    const { check, asked } = checking('delete', 'Enabled');
    await Promise.all([check(INGEST_BUCKET), check(INGEST_BUCKET), check('another-bucket')]);
    await check(INGEST_BUCKET);
    expect(asked()).toEqual([
      { Bucket: INGEST_BUCKET, ExpectedBucketOwner: INGEST_OWNER },
      { Bucket: 'another-bucket', ExpectedBucketOwner: INGEST_OWNER },
    ]);
  });

  it('gives up by itself, not with the invocation that happened to ask: its answer is for all', async () => {
    const ended = new AbortController();
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValueOnce(ended.signal);
    const { check, s3 } = checking('delete');
    s3.on(GetBucketVersioningCommand).callsFake(
      () =>
        new Promise((_, reject) => void ended.signal.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')))),
    );
    const [one, other] = [check(INGEST_BUCKET), check(INGEST_BUCKET)];
    expect(s3.commandCalls(GetBucketVersioningCommand).map(({ args }) => Array.from<unknown>(args)[1])).toEqual([
      { abortSignal: ended.signal },
    ]);
    expect(timeout).toHaveBeenCalledWith(10_000);
    ended.abort();
    for (const checked of [one, other]) await expect(checked).rejects.toMatchObject({ code: 'time-out', retryable: true });
    s3.on(GetBucketVersioningCommand).resolves({ Status: 'Enabled' });
    await expect(check(INGEST_BUCKET)).resolves.toBeUndefined();
  });

  it('asks again after it refused, or could not know', async () => {
    const { check, s3 } = checking('delete', 'Suspended');
    await expect(check(INGEST_BUCKET)).rejects.toMatchObject({ code: 'config-invalid' });
    s3.on(GetBucketVersioningCommand).rejects(s3Error('SlowDown', 503));
    await expect(check(INGEST_BUCKET)).rejects.toMatchObject({ code: 'throttled', retryable: true });
    s3.on(GetBucketVersioningCommand).resolves({ Status: 'Enabled' });
    await expect(check(INGEST_BUCKET)).resolves.toBeUndefined();
  });
});
