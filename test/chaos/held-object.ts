/** An object of the target bucket as S3 describes and gives it to an administrator. */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import {
  buildDecrypt,
  CommitmentPolicy,
  KmsKeyringNode,
  MultiKeyringNode,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
} from '@aws-crypto/client-node';
import { DecryptCommand } from '@aws-sdk/client-kms';
import { GetObjectCommand, GetObjectTaggingCommand, HeadObjectCommand, type HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { GetSecretValueCommand, type GetSecretValueCommandOutput } from '@aws-sdk/client-secrets-manager';
import type { StackClients } from '../../local/clients.ts';
import { digest } from './contents.ts';
import { keyArn, SEALING_KEY_ID, type StoredAs } from './stored-as.ts';

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

export async function openObjects(
  clients: Pick<StackClients, 's3' | 'kms' | 'secrets' | 'targetBucket' | 'customerKey' | 'wrappingKeySecret'>,
): Promise<Objects> {
  const { s3, targetBucket, customerKey } = clients;
  const openMessage = await messageOpener(clients);
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
        const stored = (await got.Body?.transformToByteArray()) ?? new Uint8Array();
        const isMessage = seen.storedAs.mode === 'cse-kms' || seen.storedAs.mode === 'cse-aes';
        const bytes = isMessage ? await openMessage(stored, { sealdrop: 'cse', bucket: targetBucket, key: Key }) : stored;
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

/** With the Encryption SDK itself: the checker believes none of our code. */
async function messageOpener({ kms, secrets, wrappingKeySecret }: Pick<StackClients, 'kms' | 'secrets' | 'wrappingKeySecret'>) {
  const underKms = new KmsKeyringNode({
    keyIds: [keyArn(SEALING_KEY_ID)],
    clientProvider: () => ({
      decrypt: async (input) => {
        const { KeyId = '', Plaintext = new Uint8Array() } = await kms.send(new DecryptCommand(input));
        return { KeyId, Plaintext };
      },
      encrypt: () => Promise.reject(new Error('nothing is encrypted here')),
      generateDataKey: () => Promise.reject(new Error('nothing is encrypted here')),
    }),
  });
  const wrapped =
    wrappingKeySecret === null ? [] : [underWrappingKey(await secrets.send(new GetSecretValueCommand({ SecretId: wrappingKeySecret })))];
  const keyring = new MultiKeyringNode({ children: [underKms, ...wrapped] });
  const { decrypt } = buildDecrypt(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
  return async (message: Uint8Array, context: Record<string, string>) => {
    const { plaintext, messageHeader } = await decrypt(keyring, message);
    if (!isDeepStrictEqual({ ...messageHeader.encryptionContext }, context)) throw new Error('it is sealed for another object');
    return plaintext;
  };
}

function underWrappingKey({ SecretString = '', VersionId = '' }: GetSecretValueCommandOutput): RawAesKeyringNode {
  return new RawAesKeyringNode({
    keyNamespace: 'sealdrop',
    keyName: VersionId,
    unencryptedMasterKey: Uint8Array.from(Buffer.from(SecretString, 'hex')),
    wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
    utf8Sorting: true,
  });
}

function encryptionOf({
  ServerSideEncryption,
  SSEKMSKeyId,
  BucketKeyEnabled = false,
  ContentEncoding = '',
}: HeadObjectCommandOutput): StoredAs {
  const key = SSEKMSKeyId === undefined ? {} : { keyArn: SSEKMSKeyId };
  const [, coded] = /(?:^|, )x-sealdrop-(cse-kms|cse-aes)$/.exec(ContentEncoding) ?? [];
  if (coded === 'cse-kms' || coded === 'cse-aes') return { mode: coded, ...key, bucketKey: BucketKeyEnabled };
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
