/** URLs by which S3 itself serves one version of an object to somebody without credentials. */
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { URL_LIFETIME_SECONDS } from './url-lifetime.ts';

export interface PresignedUrl {
  url: string;
  /** ISO 8601. */
  expires: string;
}

export interface PresignInput {
  bucket: string;
  key: string;
  /** `null`: the bucket has no versions. */
  versionId: string | null;
  /** Response headers in the place of the stored ones. */
  cacheControl: string;
  contentDisposition: string | undefined;
  /** ISO 8601: it ends then, if that is sooner. */
  until?: string | undefined;
}

export type Presign = (input: PresignInput) => Promise<PresignedUrl>;

/**
 * Makes no call: S3 judges the signer's rights when the URL is used.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
 */
export function createPresign(s3: S3Client, now: () => number = Date.now): Presign {
  return async ({ bucket, key, versionId, cacheControl, contentDisposition, until }) => {
    const signingDate = new Date(now());
    const left = until === undefined ? URL_LIFETIME_SECONDS : Math.floor((Date.parse(until) - signingDate.getTime()) / 1000);
    const expiresIn = Math.max(1, Math.min(URL_LIFETIME_SECONDS, left));
    const command = new GetObjectCommand({
      Bucket: bucket,
      Key: key,
      ...(versionId === null ? {} : { VersionId: versionId }),
      ResponseCacheControl: cacheControl,
      ...(contentDisposition === undefined ? {} : { ResponseContentDisposition: contentDisposition }),
    });
    const url = await getSignedUrl(s3, command, { expiresIn, signingDate });
    return { url, expires: new Date(signingDate.getTime() + expiresIn * 1000).toISOString() };
  };
}
