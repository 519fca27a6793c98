/** An object of the target bucket as S3 describes and gives it to an administrator. */
import { createHash } from 'node:crypto';
import { GetObjectCommand, GetObjectTaggingCommand, HeadObjectCommand, type HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import type { StackClients } from '../../local/clients.ts';
import { digest } from './contents.ts';
import type { StoredAs } from './stored-as.ts';

/** How S3 says that a version is encrypted. */
export type Seen = { storedAs: StoredAs } | { refused: string };

export type Held = { refused: string } | HeldObject;

export interface HeldObject {
  digest: string;
  size: number;
  contentType?: string | undefined;
  contentLanguage?: string | undefined;
  contentDisposition?: string | undefined;
  cacheControl?: string | undefined;
  metadata: Record<string, string>;
  tags: Record<string, string>;
}

export interface Objects {
  look(key: string, versionId: string): Promise<Seen>;
  /** @param seen what `look` said of it */
  hold(key: string, versionId: string, seen: Seen | undefined): Promise<Held>;
}

export async function openObjects({
  s3,
  targetBucket,
  customerKey,
}: Pick<StackClients, 's3' | 'targetBucket' | 'customerKey'>): Promise<Objects> {
  const material = await customerKey();
  const withKey = { SSECustomerAlgorithm: 'AES256', SSECustomerKey: material.toString('base64') };
  const md5 = createHash('md5').update(material).digest('base64');
  return {
    async look(Key, VersionId) {
      const head = (more: object) => s3.send(new HeadObjectCommand({ Bucket: targetBucket, Key, VersionId, ...more }));
      try {
        return { storedAs: encryptionOf(await head({})) };
      } catch (bare) {
        // 400 without a key is how S3 answers for SSE-C.
        if (statusOf(bare) !== 400) return { refused: refusal(bare) };
        return head(withKey).then(
          ({ SSECustomerKeyMD5 }) => (SSECustomerKeyMD5 === md5 ? { storedAs: { mode: 'sse-c' } } : { refused: 'SSE-C under another key' }),
          (error: unknown) => ({ refused: `SSE-C, but not under the secret's key: ${refusal(error)}` }),
        );
      }
    },

    async hold(Key, VersionId, seen) {
      if (seen === undefined || 'refused' in seen) return { refused: seen?.refused ?? 'not looked at' };
      const object = { Bucket: targetBucket, Key, VersionId };
      try {
        const got = await s3.send(new GetObjectCommand({ ...object, ...(seen.storedAs.mode === 'sse-c' ? withKey : {}) }));
        const bytes = (await got.Body?.transformToByteArray()) ?? new Uint8Array();
        const { TagSet = [] } = await s3.send(new GetObjectTaggingCommand(object));
        return {
          digest: digest(bytes),
          size: bytes.length,
          contentType: got.ContentType,
          contentLanguage: got.ContentLanguage,
          contentDisposition: got.ContentDisposition,
          cacheControl: got.CacheControl,
          metadata: got.Metadata ?? {},
          tags: Object.fromEntries(TagSet.map(({ Key: name = '', Value = '' }) => [name, Value])),
        };
      } catch (error) {
        return { refused: refusal(error) };
      }
    },
  };
}

function encryptionOf({ ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled = false }: HeadObjectCommandOutput): StoredAs {
  const key = SSEKMSKeyId === undefined ? {} : { keyArn: SSEKMSKeyId };
  if (ServerSideEncryption === 'aws:kms') return { mode: 'sse-kms', ...key, bucketKey: BucketKeyEnabled };
  if (ServerSideEncryption === 'aws:kms:dsse') return { mode: 'dsse-kms', ...key };
  return { mode: 'sse-s3' };
}

function refusal(error: unknown): string {
  return error instanceof Error ? `${error.name} (${statusOf(error)})` : String(error);
}

function statusOf(error: unknown): number | undefined {
  const metadata: unknown = error instanceof Error && '$metadata' in error ? error.$metadata : undefined;
  return (metadata as { httpStatusCode?: number } | undefined)?.httpStatusCode;
}
