/** Mocked S3 for copies in parts: honest, but for what a test lays over its answers. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandInput,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  ListMultipartUploadsCommand,
  UploadPartCopyCommand,
  type UploadPartCopyCommandInput,
} from '@aws-sdk/client-s3';
import type { CopyDeps, CopyJob, SavedUpload, TargetCondition } from '../../src/copy/copy-job.ts';
import { prepareCopy } from '../../src/copy/prepare-copy.ts';
import type { ServerSideMode } from '../../src/policy/schema.ts';
import { headError, honestCopy, mockAws } from '../fixtures/aws.ts';
import { ENCRYPTIONS, ETAG, INGEST_BUCKET, INGEST_OWNER, objectRef, TARGET_BUCKET, TARGET_OWNER } from '../fixtures/objects.ts';

export const SIZE = 250;
const LIMITS = { partsAboveBytes: 100, partBytes: 100 };
export const TARGET = { Bucket: TARGET_BUCKET, ExpectedBucketOwner: TARGET_OWNER, Key: 'reports/summary.txt' };
export const CRC = 'CRC64NVME=';

/** What S3 says of the source. */
export const SOURCE: Omit<HeadObjectCommandOutput, '$metadata'> = {
  ContentLength: SIZE,
  ContentType: 'text/plain',
  ETag: `"${ETAG}"`,
  LastModified: new Date('2026-11-20T09:30:15Z'),
  Metadata: { owner: 'pat' },
  ChecksumCRC64NVME: CRC,
  ChecksumType: 'FULL_OBJECT',
};

export interface Fakes {
  source?: Partial<HeadObjectCommandOutput>;
  create?: object;
  part?: object | ((input: UploadPartCopyCommandInput) => object);
  complete?: object | Error;
  target?: object | Error;
}

/** S3 as it answers, over which each fake lays its own. */
export function partsWorld(
  { source = {}, create = {}, part = {}, complete = {}, target = headError(404) }: Fakes = {},
  mode: ServerSideMode = 'sse-s3',
) {
  const { clients, s3 } = mockAws();
  const encryption = ENCRYPTIONS[mode];
  const told: SavedUpload[] = [];
  const encryptionOf = (input: object) => {
    const { VersionId: _, CopyObjectResult: __, $metadata: ___, ...members } = honestCopy(input as never);
    return members;
  };
  let asked: object = {};
  s3.on(HeadObjectCommand, { Bucket: INGEST_BUCKET }).resolves({ ...SOURCE, ...source });
  if (target instanceof Error) s3.on(HeadObjectCommand, { Bucket: TARGET_BUCKET }).rejects(target);
  else s3.on(HeadObjectCommand, { Bucket: TARGET_BUCKET }).resolves(target);
  s3.on(GetObjectTaggingCommand).resolves({ TagSet: [{ Key: 'a b', Value: 'é&' }] });
  s3.on(ListMultipartUploadsCommand).resolves({});
  s3.on(AbortMultipartUploadCommand).resolves({});
  s3.on(CreateMultipartUploadCommand).callsFake(async (input: CreateMultipartUploadCommandInput) => {
    asked = encryptionOf(input);
    return { UploadId: 'upload-1', ...asked, ...create };
  });
  s3.on(UploadPartCopyCommand).callsFake(async (input: UploadPartCopyCommandInput) => ({
    CopyPartResult: { ETag: `"part-${input.PartNumber}"` },
    ...asked,
    ...(typeof part === 'function' ? part(input) : part),
  }));
  s3.on(CompleteMultipartUploadCommand).callsFake(async (input: CompleteMultipartUploadCommandInput) => {
    if (complete instanceof Error) throw complete;
    const { SSECustomerAlgorithm: _, SSECustomerKeyMD5: __, ...said } = asked as Record<string, unknown>;
    const algorithm = Object.keys(input).find((name) => /^Checksum(?!Type)/.test(name)) ?? 'ChecksumCRC64NVME';
    return {
      ETag: '"done-3"',
      VersionId: 'v1',
      [algorithm]: Reflect.get(input, algorithm) ?? CRC,
      ChecksumType: 'FULL_OBJECT',
      ...said,
      ...complete,
    };
  });
  const deps: CopyDeps = {
    s3: clients.s3,
    targetBucket: TARGET_BUCKET,
    targetBucketOwner: TARGET_OWNER,
    ingestBucketOwner: INGEST_OWNER,
    limits: { ...LIMITS },
  };
  const job: CopyJob = {
    ref: objectRef({ size: SIZE }),
    encryption,
    storageClass: 'STANDARD',
    saved: null,
    spared: async () => [],
    began: async (upload) => void told.push(upload),
  };
  const run = async (changes: Partial<CopyJob> = {}, condition: TargetCondition = 'absent') => {
    const preparation = await prepareCopy(deps, { ...job, ...changes });
    if (!('ready' in preparation)) throw new Error('unfinished');
    return preparation.ready.commit(condition);
  };
  const inputs = <Input extends object>(command: new (input: Input) => { input: Input }): Input[] =>
    s3.calls().flatMap(({ args: [call] }) => (call instanceof command ? [call.input] : []));
  return { s3, deps, run, told, inputs };
}
