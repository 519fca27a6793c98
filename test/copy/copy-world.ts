/** The sandbox's S3 and KMS with small limits, so that a few kilobytes are many parts, and copies from one of its buckets to the other. */
import { randomBytes } from 'node:crypto';
import { CreateKeyCommand, DisableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  GetObjectTaggingCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
  type Tag,
} from '@aws-sdk/client-s3';
import { ACCOUNT_ID } from '../../sandbox/account.ts';
import type { CopyDeps, CopyJob, SavedUpload, StoredCopy } from '../../src/copy/copy-job.ts';
import { prepareCopy } from '../../src/copy/prepare-copy.ts';
import { createSealer } from '../../src/copy/sealer.ts';
import { codedMode, isClientSideMode, keyParameters, type ResolvedEncryption, secretKey } from '../../src/encryption/index.ts';
import { aesOpeningKeys, byteReader, kmsOpeningKeys, type OpeningKeys, readHead, unlock } from '../../src/envelope/index.ts';
import type { ObjectRef } from '../../src/events/index.ts';
import type { ClientSideMode, EncryptionMode } from '../../src/policy/schema.ts';
import { collected, whole } from '../envelope/messages.ts';
import { KEY_VERSION, objectRef } from '../fixtures/objects.ts';
import { openSandbox, type Sandbox, VERSIONED as SOURCE_BUCKET, BUCKET as TARGET_BUCKET } from '../sandbox/s3/sandbox.ts';

export { SOURCE_BUCKET, TARGET_BUCKET };

export const PART_BYTES = 1_000;
/** Objects up to this size are copied by one call. */
export const ONE_CALL_BYTES = 3_000;
/** What is encrypted before S3 sees it may have so many. */
export const UP_TO_BYTES = 50_000;

export interface CopyWorld {
  sandbox: Sandbox;
  client: S3Client;
  kms: KMSClient;
  deps: CopyDeps;
  encryptions: { [Mode in EncryptionMode]: ResolvedEncryption<Mode> };
  /** Puts a source, as its event would name it. */
  drop(key: string, body: Buffer | string, more?: Partial<PutObjectCommandInput>, headers?: Record<string, string>): Promise<ObjectRef>;
  job(ref: ObjectRef, mode: EncryptionMode, changes?: Partial<CopyJob>): CopyJob & { told: SavedUpload[] };
  /** From the job to the target's object, which must not be there yet. */
  copied(job: CopyJob, deps?: CopyDeps): Promise<StoredCopy>;
  openingKeys(mode: ClientSideMode): OpeningKeys;
  /** Of what was encrypted before S3 saw it, the plaintext, where the mode is given. */
  read(
    bucket: string,
    key: string,
    mode?: EncryptionMode,
  ): Promise<{ bytes: Buffer; head: Omit<GetObjectCommandOutput, 'Body'>; tags: Tag[] }>;
  /** Those of keys that begin so. */
  uploads(prefix: string): Promise<string[]>;
  newKey(): Promise<{ keyArn: string; disable(): Promise<void> }>;
  stop(): Promise<void>;
}

export async function copyWorld(): Promise<CopyWorld> {
  const sandbox = await openSandbox({ limits: { minPartBytes: PART_BYTES, minRangeSourceBytes: PART_BYTES, maxParts: 100 } });
  sandbox.s3.putBucketVersioning(TARGET_BUCKET, { Status: 'Enabled' });
  const { client } = sandbox;
  const kms = new KMSClient({ endpoint: sandbox.url, region: 'us-east-1', credentials: sandbox.credentials, maxAttempts: 1 });
  const newKey = async () => {
    const keyArn = (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
    return { keyArn, disable: async () => void (await kms.send(new DisableKeyCommand({ KeyId: keyArn }))) };
  };
  const { keyArn } = await newKey();
  const key = secretKey(KEY_VERSION, randomBytes(32));
  const deps: CopyDeps = {
    s3: client,
    targetBucket: TARGET_BUCKET,
    targetBucketOwner: ACCOUNT_ID,
    ingestBucketOwner: ACCOUNT_ID,
    limits: { partsAboveBytes: ONE_CALL_BYTES, partBytes: PART_BYTES, streamedPartBytes: PART_BYTES },
    sealer: createSealer(kms),
  };
  const stored = { mode: 'sse-kms' as const, keyArn, bucketKey: true };
  const encryptions: CopyWorld['encryptions'] = {
    'sse-s3': { mode: 'sse-s3' },
    'sse-kms': { mode: 'sse-kms', keyArn, bucketKey: true },
    'dsse-kms': { mode: 'dsse-kms', keyArn },
    'sse-c': { mode: 'sse-c', customerKey: key },
    'cse-kms': { mode: 'cse-kms', keyArn, reuseDataKey: false, stored, upToBytes: UP_TO_BYTES },
    'cse-aes': { mode: 'cse-aes', wrappingKey: secretKey(KEY_VERSION, randomBytes(32)), stored, upToBytes: UP_TO_BYTES },
  };
  const openingKeys = (mode: ClientSideMode) =>
    mode === 'cse-kms' ? kmsOpeningKeys(kms, [keyArn]) : aesOpeningKeys({ version: async () => encryptions['cse-aes'].wrappingKey });
  let sequence = 0;
  return {
    sandbox,
    client,
    kms,
    deps,
    encryptions,
    async drop(name, body, more = {}, headers = {}) {
      const put = new PutObjectCommand({ Bucket: SOURCE_BUCKET, Key: name, Body: body, ...more });
      const { ETag = '', VersionId = '' } = await (Object.keys(headers).length > 0 ? sandbox.adding(headers) : client).send(put);
      sequence += 1;
      return objectRef({
        bucket: SOURCE_BUCKET,
        key: name,
        versionId: VersionId,
        etag: ETag.replaceAll('"', ''),
        size: Buffer.byteLength(body),
        sequencer: sequence.toString(16).padStart(18, '0'),
      });
    },
    job(ref, mode, changes = {}) {
      const told: SavedUpload[] = [];
      const began = async (upload: SavedUpload) => void told.push(upload);
      return { ref, encryption: encryptions[mode], storageClass: 'STANDARD', saved: null, spared: async () => [], began, told, ...changes };
    },
    async copied(job, others = deps) {
      const preparation = await prepareCopy(others, job);
      if (!('ready' in preparation)) throw new Error('the copy did not come to its end');
      return preparation.ready.commit('absent');
    },
    async read(bucket, name, mode = 'sse-s3') {
      const at = { Bucket: bucket, Key: name };
      const get = new GetObjectCommand({ ...at, ChecksumMode: 'ENABLED', ...keyParameters(encryptions[mode]) });
      const { Body, ...head } = await client.send(get);
      const { TagSet: tags = [] } = await client.send(new GetObjectTaggingCommand(at));
      const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
      if (!isClientSideMode(mode)) return { bytes, head, tags };
      const reader = byteReader(whole(bytes));
      const message = await unlock(await readHead(reader), { sealdrop: 'cse', bucket, key: name }, openingKeys(mode));
      const coded = codedMode(head.ContentEncoding);
      if (coded?.mode !== mode) throw new Error(`${name} says that it is ${head.ContentEncoding}`);
      const { ContentEncoding: _, ...rest } = head;
      const told = coded.contentEncoding === undefined ? rest : { ...rest, ContentEncoding: coded.contentEncoding };
      return { bytes: await collected(message.plaintext(reader)), head: told, tags };
    },
    async uploads(prefix) {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: TARGET_BUCKET, Prefix: prefix }));
      return Uploads.map(({ UploadId }) => UploadId ?? '');
    },
    openingKeys,
    newKey,
    async stop() {
      kms.destroy();
      await sandbox[Symbol.asyncDispose]();
    },
  };
}
