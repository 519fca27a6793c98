import { S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { createPresign } from '../src/presigned-url.ts';
import { URL_LIFETIME_SECONDS } from '../src/url-lifetime.ts';

const NOW = Date.parse('2026-01-02T03:04:05.000Z');
const OBJECT = {
  bucket: 'a-bucket',
  key: 'reports/summary.txt',
  versionId: 'version-1',
  cacheControl: 'private, no-cache',
  contentDisposition: undefined,
};

const s3 = new S3Client({ region: 'us-east-1', credentials: { accessKeyId: 'EXAMPLE', secretAccessKey: 'example' } });
const presign = createPresign(s3, () => NOW);

const inSeconds = (seconds: number) => new Date(NOW + seconds * 1000).toISOString();

/** What S3 judges by, beside what the caller is told. */
async function lifetime(until?: string) {
  const { url, expires } = await presign({ ...OBJECT, until });
  return { signed: Number(new URL(url).searchParams.get('X-Amz-Expires')), expires };
}

describe('a URL of S3', () => {
  it.each([
    ['for its full lifetime where nothing ends sooner', undefined, URL_LIFETIME_SECONDS],
    ['for its full lifetime where what it is made for ends later', inSeconds(URL_LIFETIME_SECONDS + 60), URL_LIFETIME_SECONDS],
    ['no longer than what it is made for', inSeconds(42), 42],
    ['for whole seconds, none of them behind the end', inSeconds(42.9), 42],
    ['for one second at the least, which is the least that S3 takes', inSeconds(-5), 1],
  ])('is good %s', async (_, until, seconds) => {
    expect(await lifetime(until)).toEqual({ signed: seconds, expires: inSeconds(seconds) });
  });

  it('names the version that it is for, and none in a bucket without versions', async () => {
    const versionOf = async (versionId: string | null) =>
      new URL((await presign({ ...OBJECT, versionId })).url).searchParams.get('versionId');
    expect([await versionOf('version-1'), await versionOf(null)]).toEqual(['version-1', null]);
  });
});
