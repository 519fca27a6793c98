/** A stream into the target: by one call where it is short, else in parts, a few at a time. */
import { crc32 } from 'node:zlib';
import { PutObjectCommand, type StorageClass, UploadPartCommand } from '@aws-sdk/client-s3';
import { describeEncryption, differences, type EncryptionAnswer, keyParameters, writeParameters } from '../encryption/index.ts';
import { SealdropError } from '../errors.ts';
import { completeUpload } from './complete-upload.ts';
import type { CopyDeps, CopyJob, PreparedCopy, StoredChecksum, StoredCopy, TargetCondition } from './copy-job.ts';
import { MAX_PARTS, STREAMED_PART_BYTES } from './plan.ts';
import { type SourceDescription, taggingHeader } from './source-description.ts';
import { storedChecksum } from './stored-checksum.ts';
import { abandonUpload, conditionParameters, keyOf, targetOf } from './target-object.ts';
import { translatePartsError } from './translate-copy-error.ts';
import { addHeader, beginUpload, type Upload } from './upload.ts';

/** More are not faster than one stream is read and encrypted. */
const PARALLEL_PARTS = 3;

/** Which key it is, was compared when the upload began, and is again when it is completed. */
const UNSAID: (keyof EncryptionAnswer)[] = ['SSEKMSKeyId', 'BucketKeyEnabled'];

/** How it is stored: `source` with the headers that the object is to have. */
interface Storing {
  source: SourceDescription;
  storageClass: StorageClass;
}

interface Part {
  number: number;
  body: Buffer;
}

/**
 * @param chunks is read as the parts go, and closed whatever becomes of them
 * @returns how many bytes they were; nothing is to be seen in the target before the commit
 * @throws SealdropError of the target, `answer-mismatch`, and what the chunks throw; no upload is left then
 */
export async function uploadChunks(
  deps: CopyDeps,
  job: CopyJob,
  storing: Storing,
  chunks: AsyncIterable<Uint8Array>,
): Promise<PreparedCopy & { bytes: number }> {
  const partBytes = deps.limits.streamedPartBytes ?? STREAMED_PART_BYTES;
  /** Buffers whose parts S3 has: taken again, so that no more are made than are in flight. */
  const free: Buffer[] = [];
  const parts = partsOf(chunks, partBytes, free);
  try {
    const first = (await parts.next()).value ?? { number: 1, body: Buffer.alloc(0) };
    const second = first.body.length < partBytes ? undefined : (await parts.next()).value;
    if (second !== undefined) return await uploadParts(deps, job, storing, { begun: [first, second], rest: parts, partBytes, free });
    const { body } = first;
    return { bytes: body.length, commit: (condition) => putObject(deps, job, storing, body, condition), abandon: async () => {} };
  } finally {
    await parts.return(undefined);
  }
}

/** All but the last have `partBytes`. */
async function* partsOf(chunks: AsyncIterable<Uint8Array>, partBytes: number, free: Buffer[]): AsyncGenerator<Part, undefined, undefined> {
  let number = 1;
  let body: Buffer = Buffer.allocUnsafe(partBytes);
  let filled = 0;
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.length; ) {
      const taken = Math.min(chunk.length - from, partBytes - filled);
      body.set(chunk.subarray(from, from + taken), filled);
      from += taken;
      filled += taken;
      if (filled < partBytes) continue;
      yield { number, body };
      number += 1;
      body = free.pop() ?? Buffer.allocUnsafe(partBytes);
      filled = 0;
    }
  }
  if (filled > 0) yield { number, body: body.subarray(0, filled) };
}

interface Parts {
  /** Taken already. */
  begun: Part[];
  rest: AsyncGenerator<Part, undefined, undefined>;
  partBytes: number;
  free: Buffer[];
}

async function uploadParts(
  deps: CopyDeps,
  job: CopyJob,
  { source, storageClass }: Storing,
  { begun, rest, partBytes, free }: Parts,
): Promise<PreparedCopy & { bytes: number }> {
  // How large it becomes is known at its end.
  const beginning = { plan: { action: 'parts' as const, size: 0, partBytes, parts: 0 }, source, storageClass, algorithm: 'CRC32' as const };
  const upload = await beginUpload(deps, job, beginning);
  const abandon = () => abandonUpload(deps, keyOf(job), upload.uploadId);
  let bytes = 0;
  let checksum = 0;
  let failure: unknown = null;
  const failed = new AbortController();
  const signal = deps.signal === undefined ? failed.signal : AbortSignal.any([deps.signal, failed.signal]);

  /** In the order of the stream, whoever asks. */
  const take = async (): Promise<Part | undefined> => {
    const part = begun.shift() ?? (await rest.next()).value;
    if (part === undefined) return undefined;
    if (part.number > MAX_PARTS)
      throw new SealdropError('too-large', `the object has more than ${MAX_PARTS} parts of ${partBytes} bytes`, { object: job.ref });
    bytes += part.body.length;
    checksum = crc32(part.body, checksum);
    return part;
  };
  const worker = async () => {
    try {
      for (let part = await take(); part !== undefined && !signal.aborted; part = await take()) {
        upload.parts.set(part.number, await uploadPart(deps, job, upload, part, signal));
        if (part.body.length === partBytes) free.push(part.body);
      }
      if (deps.signal?.aborted) throw new SealdropError('time-out', 'time ended before the object was uploaded', { object: job.ref });
    } catch (error) {
      // The first one counts: it ends the others.
      if (!failed.signal.aborted) failure = error;
      failed.abort();
    }
  };
  await Promise.all(Array.from({ length: deps.limits.parallelParts ?? PARALLEL_PARTS }, worker));
  if (failure !== null) {
    await abandon();
    throw failure;
  }
  const whole: StoredChecksum = { algorithm: 'CRC32', value: asBase64(checksum), type: 'FULL_OBJECT' };
  const plan = { action: 'parts' as const, size: bytes, partBytes, parts: upload.parts.size };
  const ended = { plan, source: { ...source, checksum: whole }, storageClass };
  return { bytes, commit: (condition) => completeUpload(deps, job, upload, ended, condition), abandon };
}

/** @returns the part's ETag @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html */
async function uploadPart(deps: CopyDeps, job: CopyJob, upload: Upload, { number, body }: Part, signal: AbortSignal): Promise<string> {
  const command = new UploadPartCommand({
    ...targetOf(deps, job),
    UploadId: upload.uploadId,
    PartNumber: number,
    Body: body,
    ContentLength: body.length,
    ChecksumCRC32: asBase64(crc32(body)),
    ...keyParameters(job.encryption),
  });
  const answer = await deps.s3.send(command, { abortSignal: signal }).catch((error: unknown) => {
    throw translatePartsError(error, deps, job);
  });
  const wrong = differences(job.encryption, answer, UNSAID);
  if (answer.ETag === undefined) wrong.push('ETag: the answer has none');
  if (wrong.length > 0 || answer.ETag === undefined) throw mismatch(deps, job, `part ${number}`, wrong);
  return answer.ETag;
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html */
async function putObject(deps: CopyDeps, job: CopyJob, storing: Storing, body: Buffer, condition: TargetCondition): Promise<StoredCopy> {
  const { source, storageClass } = storing;
  const checksum: StoredChecksum = { algorithm: 'CRC32', value: asBase64(crc32(body)), type: 'FULL_OBJECT' };
  const command = new PutObjectCommand({
    ...targetOf(deps, job),
    ...source.headers,
    Tagging: taggingHeader(source.tags),
    StorageClass: storageClass,
    Body: body,
    ContentLength: body.length,
    ChecksumCRC32: checksum.value,
    ...conditionParameters(condition),
    ...writeParameters(job.encryption),
  });
  if (source.expires !== null) addHeader(command, 'expires', source.expires);
  const { signal } = deps;
  const answer = await deps.s3.send(command, signal && { abortSignal: signal }).catch((error: unknown) => {
    const name = error instanceof Error ? error.name : '';
    // The source is not in this call: whatever is not as it should be is the target, or somebody else writes it now.
    if (['PreconditionFailed', 'NoSuchKey', 'ConditionalRequestConflict', 'OperationAborted'].includes(name)) {
      throw new SealdropError('target-changed', 'the target is not what it was when it was looked at', { object: job.ref, cause: error });
    }
    throw translatePartsError(error, deps, job);
  });
  const wrong = differences(job.encryption, answer);
  const etag = answer.ETag;
  if (etag === undefined) wrong.push('ETag: the answer has none');
  if (storedChecksum(answer)?.value !== checksum.value) wrong.push('ChecksumCRC32: not that of what was sent');
  if (wrong.length > 0 || etag === undefined) throw mismatch(deps, job, 'the copy', wrong);
  return {
    etag: etag.replaceAll('"', ''),
    ...(answer.VersionId === undefined ? {} : { versionId: answer.VersionId }),
    checksum,
    proof: 'checksum-compared',
  };
}

function mismatch({ targetBucket }: CopyDeps, { ref, encryption }: CopyJob, what: string, wrong: string[]): SealdropError {
  const { mode } = describeEncryption(encryption);
  return new SealdropError('answer-mismatch', `${what} in ${targetBucket}, ${mode}, is not as asked: ${wrong.join('; ')}`, { object: ref });
}

/** As S3 has it: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Checksum.html */
function asBase64(checksum: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(checksum);
  return bytes.toString('base64');
}
