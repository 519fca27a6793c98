/** The encrypt use case in this process, over a sandbox whose calls can be watched and slowed down. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateKeyCommand } from '@aws-sdk/client-kms';
import {
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { stackClients } from '../local/clients.ts';
import type { Artifacts } from '../sandbox/build.ts';
import { type Sandbox, startSandbox } from '../sandbox/index.ts';
import type { CopyLimits } from '../src/copy/plan.ts';
import { processIngest } from '../src/process-ingest.ts';
import { benchTable, encryptDeps } from './encrypt-deps.ts';
import { type DroppedObject, ingestMessages } from './ingest-messages.ts';

const SOURCE_BUCKET = 'bench-large-source';
const TARGET_BUCKET = 'bench-large-target';
const MIB = 1024 ** 2;
/** As ordinary clients send it. */
const SENT_PART_BYTES = 64 * MIB;
/** Lower than S3's, so that a copy can be made small in all its measures. */
const SANDBOX_LIMITS = { minPartBytes: 64 * 1024, minRangeSourceBytes: 64 * 1024 };

export interface CopyWorld {
  faults: Sandbox['faults'];
  /** An object with a CRC64NVME of the whole, as AWS's own clients give it one: parts keep that. */
  drop(key: string, size: number): Promise<DroppedObject>;
  /** As one batch; a state that was encrypted before is not again. @returns seconds */
  encrypt(objects: DroppedObject[], limits?: CopyLimits): Promise<number>;
  /** Takes the copy away as well. */
  remove(key: string): Promise<void>;
  stop(): Promise<void>;
}

/** What a rule without `key` means is a key that the administrator may use: the stack's own is for its functions alone. */
export async function openCopyWorld(artifacts: Artifacts, policyPath: string): Promise<CopyWorld> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sealdrop-bench-copies-'));
  const sandbox = await startSandbox({ dataDir, port: 0, apiPort: 0, artifacts, limits: { s3: SANDBOX_LIMITS } });
  const clients = stackClients(sandbox.environment());
  const { s3, kms, config } = clients;
  const kmsKeyArn = (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
  for (const Bucket of [SOURCE_BUCKET, TARGET_BUCKET]) await s3.send(new CreateBucketCommand({ Bucket }));
  const deps = encryptDeps(
    config,
    { ...clients, kmsKeyArn, targetBucket: TARGET_BUCKET, auditTable: await benchTable(config) },
    policyPath,
  );
  const body = Buffer.alloc(SENT_PART_BYTES, 'sealdrop');

  return {
    faults: sandbox.faults,
    async drop(key, size) {
      const at = { Bucket: SOURCE_BUCKET, Key: key };
      const checksum = { ChecksumAlgorithm: 'CRC64NVME' } as const;
      const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ ...at, ...checksum, ChecksumType: 'FULL_OBJECT' }));
      const Parts: CompletedPart[] = [];
      for (let offset = 0; offset < size; offset += SENT_PART_BYTES) {
        const PartNumber = Parts.length + 1;
        const Body = body.subarray(0, Math.min(SENT_PART_BYTES, size - offset));
        const { ETag, ChecksumCRC64NVME } = await s3.send(new UploadPartCommand({ ...at, ...checksum, UploadId, PartNumber, Body }));
        Parts.push({ PartNumber, ETag, ChecksumCRC64NVME });
      }
      const { ETag = '' } = await s3.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts } }));
      return { bucket: SOURCE_BUCKET, key, size, etag: ETag.replaceAll('"', ''), order: 1 };
    },
    async encrypt(objects, limits = deps.limits) {
      const messages = ingestMessages(objects);
      const started = performance.now();
      const results = await processIngest(messages, { ...deps, limits });
      const seconds = (performance.now() - started) / 1000;
      const failed = results.find(({ verdict }) => verdict !== 'done');
      if (failed !== undefined) throw new Error(`not encrypted: ${failed.error?.message}`);
      return seconds;
    },
    async remove(Key) {
      for (const Bucket of [SOURCE_BUCKET, TARGET_BUCKET]) await s3.send(new DeleteObjectCommand({ Bucket, Key }));
    },
    async stop() {
      await sandbox.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
