/** A copy in transit: a version that S3 cannot serve by itself, for some minutes under a key that S3 can use. */
import { createHash } from 'node:crypto';
import { HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { SealdropError } from './errors.ts';
import type { TransitOrder } from './events/index.ts';
import { statusOf, translateAwsError } from './translate-aws-error.ts';
import { URL_LIFETIME_SECONDS } from './url-lifetime.ts';

/** From the copy to its deletion: the longest that a message can be held back: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
export const KEPT_SECONDS = 900;

/** Whoever is given a URL now can use it to its end before the copy goes. */
const HANDED_OUT_MS = (KEPT_SECONDS - URL_LIFETIME_SECONDS) * 1000;

export interface TransitBucket {
  s3: S3Client;
  transitBucket: string;
  /** The account that must own it. */
  transitBucketOwner: string;
  signal?: AbortSignal;
}

export interface TransitCopy {
  /** Without quotes. */
  etag: string;
  /** Of a copy in parts: when it began. */
  lastModified: Date;
}

/**
 * Tells nothing of the object to whoever sees it, and is the same in every function. The ETag is part of it since a version called `null` can be overwritten.
 * @returns 64 hexadecimal digits
 */
export function transitName({ bucket, key, versionId, etag }: Pick<TransitOrder, 'bucket' | 'key' | 'versionId' | 'etag'>): string {
  return createHash('sha256')
    .update(JSON.stringify([bucket, key, versionId, etag]))
    .digest('hex');
}

/** @returns `null`: there is none @throws SealdropError `access-denied`, or what heals */
export async function findCopy(
  { s3, transitBucket, transitBucketOwner, signal }: TransitBucket,
  name: string,
): Promise<TransitCopy | null> {
  const command = new HeadObjectCommand({ Bucket: transitBucket, ExpectedBucketOwner: transitBucketOwner, Key: name });
  const head = await s3.send(command, signal && { abortSignal: signal }).catch((error: unknown) => {
    const object = { bucket: transitBucket, key: name };
    // A HEAD is refused with a status alone: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
    switch (statusOf(error)) {
      case 404:
        return null;
      case 403:
        throw new SealdropError('access-denied', 'the transit bucket may not be looked at (HEAD: 403)', { object, cause: error });
      default:
        throw translateAwsError(error, {}, object);
    }
  });
  if (head?.ETag === undefined || head.LastModified === undefined) return null;
  return { etag: head.ETag.replaceAll('"', ''), lastModified: head.LastModified };
}

/** Whether a URL of it may still be given to somebody. @param now milliseconds */
export function isUsable({ lastModified }: TransitCopy, now: number): boolean {
  return lastModified.getTime() + HANDED_OUT_MS > now;
}
