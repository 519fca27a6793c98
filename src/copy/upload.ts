/** Multipart uploads of the target: begun, found again, ended. */
import {
  type ChecksumAlgorithm,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type MultipartUpload,
  type PutObjectCommand,
  type StorageClass,
} from '@aws-sdk/client-s3';
import { describeEncryption, differences, keyParameters, writeParameters } from '../encryption/index.ts';
import { SealdropError } from '../errors.ts';
import { decodeFormKey } from '../events/index.ts';
import { translateAwsError } from '../translate-aws-error.ts';
import type { CopyDeps, CopyJob, ListedUpload, SavedUpload, Spared } from './copy-job.ts';
import { type PartsPlan, partRange } from './plan.ts';
import { type SourceDescription, taggingHeader } from './source-description.ts';
import { abandonUpload, keyOf, TARGET_ERRORS, targetOf } from './target-object.ts';
import { translatePartsError } from './translate-copy-error.ts';

/** What S3 adds by itself to objects that come without a checksum. */
const DEFAULT_ALGORITHM = 'CRC64NVME';

export interface Upload {
  uploadId: string;
  /** Number → ETag of the parts that are there, in their right size. */
  parts: Map<number, string>;
}

/** How the source is to be stored, but for its encryption. */
export interface Storing {
  plan: PartsPlan;
  source: SourceDescription;
  storageClass: StorageClass;
  /** Unless it is the source's own. */
  algorithm?: ChecksumAlgorithm;
}

export const algorithmOf = ({ source: { checksum }, algorithm }: Storing): ChecksumAlgorithm =>
  algorithm ?? checksum?.algorithm ?? DEFAULT_ALGORITHM;

/**
 * Begins an upload that has all but the bytes of the source, once no other of this key is left: nobody would ever end those.
 * @throws SealdropError of keys and target; `answer-mismatch`; what `job.began` throws
 */
export async function beginUpload(deps: CopyDeps, job: CopyJob, storing: Storing): Promise<Upload> {
  const key = keyOf(job);
  await abandonUploads(deps, key, job.spared);
  const { plan, source, storageClass } = storing;
  const command = new CreateMultipartUploadCommand({
    ...targetOf(deps, job),
    ...source.headers,
    Tagging: taggingHeader(source.tags),
    StorageClass: storageClass,
    ChecksumAlgorithm: algorithmOf(storing),
    ChecksumType: 'FULL_OBJECT',
    ...writeParameters(job.encryption),
  });
  if (source.expires !== null) addHeader(command, 'expires', source.expires);
  const { signal } = deps;
  const answer = await deps.s3.send(command, signal && { abortSignal: signal }).catch((error: unknown) => {
    throw translatePartsError(error, deps, job);
  });
  const uploadId = answer.UploadId ?? '';
  const wrong = differences(job.encryption, answer);
  if (uploadId === '') wrong.push('UploadId: the answer has none');
  try {
    if (wrong.length > 0) {
      throw new SealdropError('answer-mismatch', `the upload to ${deps.targetBucket} is not as asked: ${wrong.join('; ')}`, {
        object: job.ref,
      });
    }
    await job.began({ uploadId, partBytes: plan.partBytes, encryption: describeEncryption(job.encryption) });
    // A lost answer, and the SDK asked again: what the first request began nobody knows of.
    if ((answer.$metadata?.attempts ?? 1) > 1) await abandonUploads(deps, key, async (all) => [...(await job.spared(all)), uploadId]);
  } catch (error) {
    await abandonUpload(deps, key, uploadId);
    throw error;
  }
  return { uploadId, parts: new Map() };
}

/** Whether its parts are those of `plan` under `job.encryption`. */
export function continues(saved: SavedUpload, job: CopyJob, plan: PartsPlan): boolean {
  const asked = describeEncryption(job.encryption);
  const { mode, keyArn, bucketKey, customerKeyVersion } = saved.encryption;
  return (
    saved.partBytes === plan.partBytes &&
    mode === asked.mode &&
    keyArn === asked.keyArn &&
    bucketKey === asked.bucketKey &&
    customerKeyVersion === asked.customerKeyVersion
  );
}

/**
 * S3's listing of parts is what there is to go on from in another function. S3 advises to complete from one's own list of parts; here size
 * (of each, and of the whole) and the checksum of the whole stand in for that: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
 *
 * `'gone'`: there is no such upload any more; `'unlike'`: it would not become what is asked for now.
 * @throws SealdropError of keys and target
 */
export async function findUpload(deps: CopyDeps, job: CopyJob, uploadId: string, storing: Storing): Promise<Upload | 'gone' | 'unlike'> {
  const { s3, signal } = deps;
  const { plan, storageClass } = storing;
  const parts = new Map<number, string>();
  for (let marker: string | undefined; ; ) {
    const list = new ListPartsCommand({
      ...targetOf(deps, job),
      UploadId: uploadId,
      PartNumberMarker: marker,
      ...keyParameters(job.encryption),
    });
    const page = await s3.send(list, signal && { abortSignal: signal }).catch((error: unknown) => {
      if (error instanceof Error && error.name === 'NoSuchUpload') return null;
      throw translatePartsError(error, deps, job);
    });
    if (page === null) return 'gone';
    const alike =
      page.ChecksumAlgorithm === algorithmOf(storing) &&
      page.ChecksumType === 'FULL_OBJECT' &&
      (page.StorageClass ?? 'STANDARD') === storageClass;
    if (!alike) return 'unlike';
    for (const { PartNumber, Size, ETag } of page.Parts ?? []) {
      if (PartNumber === undefined || ETag === undefined || PartNumber > plan.parts) continue;
      if (Size === partRange(plan, PartNumber).bytes) parts.set(PartNumber, ETag);
    }
    if (!page.IsTruncated || page.NextPartNumberMarker === undefined) return { uploadId, parts };
    marker = page.NextPartNumberMarker;
  }
}

/**
 * Ends uploads of a key: those of other sources, and those that began and were never told of.
 * @param spared is asked after S3, and only if there are any
 * @throws SealdropError of the target, and what `spared` throws
 */
export async function abandonUploads(deps: CopyDeps, key: string, spared: Spared): Promise<void> {
  const { s3, signal, targetBucket, targetBucketOwner } = deps;
  for (let marker: { KeyMarker?: string; UploadIdMarker?: string } = {}; ; ) {
    const list = new ListMultipartUploadsCommand({
      Bucket: targetBucket,
      ExpectedBucketOwner: targetBucketOwner,
      // In the order of keys: those of the key itself come first.
      Prefix: key,
      // XML cannot carry every character that a key may have.
      EncodingType: 'url',
      ...marker,
    });
    const page = await s3.send(list, signal && { abortSignal: signal }).catch((error: unknown) => {
      throw translateAwsError(error, TARGET_ERRORS, { bucket: targetBucket, key });
    });
    const uploads = page.Uploads ?? [];
    const own = uploads.filter(({ Key }) => Key !== undefined && decodeFormKey(Key) === key);
    const kept = own.length === 0 ? [] : await spared(own.flatMap(listed));
    await Promise.all(own.map(({ UploadId }) => UploadId && !kept.includes(UploadId) && abandonUpload(deps, key, UploadId)));
    if (!page.IsTruncated || own.length < uploads.length || page.NextUploadIdMarker === undefined) return;
    marker = { KeyMarker: key, UploadIdMarker: page.NextUploadIdMarker };
  }
}

function listed({ UploadId, Initiated }: MultipartUpload): ListedUpload[] {
  return UploadId === undefined ? [] : [{ uploadId: UploadId, initiated: Initiated ?? null }];
}

/** For what the SDK would only send in a form of its own. */
export function addHeader(command: CreateMultipartUploadCommand | PutObjectCommand, name: string, value: string): void {
  // Each command has a type of stack for its own input; what is added here looks at the request alone.
  const stack: Pick<CreateMultipartUploadCommand['middlewareStack'], 'add'> =
    command.middlewareStack as CreateMultipartUploadCommand['middlewareStack'];
  stack.add(
    (next) => (args) => {
      Object.assign((args.request as { headers: Record<string, string> }).headers, { [name]: value });
      return next(args);
    },
    { step: 'build', name: `${name}AsGiven` },
  );
}
