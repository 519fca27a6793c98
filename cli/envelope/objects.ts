/** What lies under a prefix. */
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { decodeFormKey } from '../../src/events/index.ts';
import { Failure } from '../failure.ts';
import type { ReadOptions } from './from-s3.ts';
import type { ObjectPlace } from './place.ts';

/** @returns keys, without those that end in `/` and have no bytes, which stand for folders @throws Failure: a page is not as S3 gives it; what the SDK says */
export async function keysUnder({ bucket, key: prefix }: ObjectPlace, { s3, owner, signal }: ReadOptions): Promise<string[]> {
  const keys: string[] = [];
  for (let token: string | undefined; ; ) {
    const list = new ListObjectsV2Command({
      Bucket: bucket,
      Prefix: prefix,
      // XML cannot carry every character that a key may have.
      EncodingType: 'url',
      ...(token === undefined ? {} : { ContinuationToken: token }),
      ...(owner === null ? {} : { ExpectedBucketOwner: owner }),
    });
    const page = await s3.send(list, { abortSignal: signal });
    for (const { Key = '', Size } of page.Contents ?? []) {
      const key = decodeFormKey(Key);
      if (key === null || !key.startsWith(prefix))
        throw new Failure(`s3://${bucket}/${prefix}: S3 lists ${Key}, which does not lie there.`);
      if (Size !== 0 || !key.endsWith('/')) keys.push(key);
    }
    if (!page.IsTruncated) return keys;
    // Less would look like all.
    if (page.NextContinuationToken === undefined)
      throw new Failure(`s3://${bucket}/${prefix}: S3's listing has no next page, and is not at its end.`);
    token = page.NextContinuationToken;
  }
}
