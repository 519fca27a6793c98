/** A source into the ingest bucket: by one request, or in parts, side by side. */
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { Failure } from '../failure.ts';
import type { Source } from './source.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MAX_PARTS = 10_000;
const MIB = 1024 * 1024;
/** As many parts are in memory. */
const PARALLEL = 4;
/** Of the whole object, whatever its parts: S3 compares each request's with its bytes, and a download is proven by it. */
const CHECKSUM = { ChecksumAlgorithm: 'CRC64NVME' } as const;
const MAX_PART_BYTES = 512 * MIB;

export interface Drop {
  bucket: string;
  key: string;
  contentType: string | undefined;
  metadata: Record<string, string>;
  tags: Record<string, string>;
}

export interface Dropped {
  /** `null`: the ingest bucket has no versions. */
  versionId: string | null;
  bytes: number;
}

interface UploadOptions {
  /** Least size of a part, and most of what goes by one request. */
  partBytes: number;
  signal: AbortSignal;
  /** Told of bytes that S3 has. */
  count: (bytes: number) => void;
}

/** @returns bytes of a part @throws Failure: in 10,000 parts they would need more memory than there should be */
export function partBytesFor(size: number | null, least: number): number {
  if (size === null || size <= least * MAX_PARTS) return least;
  if (size > MAX_PART_BYTES * MAX_PARTS) {
    throw new Failure(`The file has more than ${MAX_PARTS} parts of ${MAX_PART_BYTES / MIB} MiB.`, {
      nextStep: 'Put it with another S3 client, such as aws s3 cp.',
      exitCode: 2,
    });
  }
  return Math.ceil(size / MAX_PARTS / MIB) * MIB;
}

/**
 * Either the whole source is there in the end, or nothing is, no part either.
 * @throws Failure: the source changed, or has too many parts; what the SDK says; the signal's reason
 */
export async function upload(s3: S3Client, drop: Drop, source: Source, options: UploadOptions): Promise<Dropped> {
  const partBytes = partBytesFor(source.size, options.partBytes);
  const first = await next(source, Buffer.allocUnsafe(Math.min(partBytes, source.size ?? partBytes)));
  const second = first.length < partBytes ? Buffer.alloc(0) : await next(source, Buffer.allocUnsafe(partBytes));
  options.signal.throwIfAborted();
  return second.length === 0
    ? putWhole(s3, drop, source, first, options)
    : putParts(s3, drop, source, [first, second], { ...options, partBytes });
}

async function putWhole(s3: S3Client, drop: Drop, source: Source, body: Buffer, { signal, count }: UploadOptions): Promise<Dropped> {
  await source.requireUnchanged();
  const put = new PutObjectCommand({ ...description(drop), ...CHECKSUM, Body: body });
  const { VersionId } = await s3.send(put, { abortSignal: signal });
  count(body.length);
  return { versionId: versionOf(VersionId), bytes: body.length };
}

async function putParts(s3: S3Client, drop: Drop, source: Source, begun: Buffer[], options: UploadOptions): Promise<Dropped> {
  const { signal, count, partBytes } = options;
  const object = { Bucket: drop.bucket, Key: drop.key };
  const create = new CreateMultipartUploadCommand({ ...description(drop), ...CHECKSUM, ChecksumType: 'FULL_OBJECT' });
  // Not to be aborted: an upload whose id nobody learned would linger.
  const { UploadId } = await s3.send(create);
  const stop = new AbortController();
  const ended = AbortSignal.any([signal, stop.signal]);
  const parts: CompletedPart[] = [];
  const failures: unknown[] = [];
  let bytes = 0;
  let taken = 0;
  let reading: Promise<unknown> = Promise.resolve();

  /** In the order of the source, whoever asks. */
  const take = (buffer: Buffer, filled: Buffer | undefined) => {
    const read = reading.then(async () => {
      const body = filled ?? (await next(source, buffer));
      if (body.length === 0) return null;
      if (taken === MAX_PARTS) throw new Failure(`There are more than ${MAX_PARTS} parts.`, { nextStep: 'Say a larger --part-mib.' });
      taken += 1;
      bytes += body.length;
      return { body, number: taken };
    });
    reading = read.catch(() => {});
    return read;
  };

  const worker = async (filled: Buffer | undefined) => {
    const buffer = filled ?? Buffer.allocUnsafe(partBytes);
    try {
      for (let part = await take(buffer, filled); part !== null; part = await take(buffer, undefined)) {
        ended.throwIfAborted();
        const { body: Body, number: PartNumber } = part;
        const sent = new UploadPartCommand({ ...object, UploadId, PartNumber, Body, ...CHECKSUM });
        const { ETag, ChecksumCRC64NVME } = await s3.send(sent, { abortSignal: ended });
        parts.push({ PartNumber, ETag, ChecksumCRC64NVME });
        count(Body.length);
      }
    } catch (error) {
      failures.push(error);
      stop.abort();
    }
  };
  try {
    await Promise.all(Array.from({ length: PARALLEL }, (_, index) => worker(begun[index])));
    if (failures.length > 0) throw failures[0];
    await source.requireUnchanged();
    signal.throwIfAborted();
    parts.sort((a, b) => Number(a.PartNumber) - Number(b.PartNumber));
    const complete = { ...object, UploadId, MultipartUpload: { Parts: parts }, MpuObjectSize: bytes, ChecksumType: 'FULL_OBJECT' as const };
    const { VersionId } = await s3.send(new CompleteMultipartUploadCommand(complete));
    return { versionId: versionOf(VersionId), bytes };
  } catch (error) {
    // What cannot be aborted now is aborted by the bucket's lifecycle.
    await s3.send(new AbortMultipartUploadCommand({ ...object, UploadId })).catch(() => {});
    throw error;
  }
}

async function next(source: Source, buffer: Buffer): Promise<Buffer> {
  return buffer.subarray(0, await source.fill(buffer));
}

function description({ bucket, key, contentType, metadata, tags }: Drop) {
  return {
    Bucket: bucket,
    Key: key,
    ...(contentType === undefined ? {} : { ContentType: contentType }),
    Metadata: metadata,
    ...(Object.keys(tags).length === 0 ? {} : { Tagging: new URLSearchParams(tags).toString() }),
  };
}

/** Of a bucket whose versions are suspended it is the word `null`. */
function versionOf(versionId: string | undefined): string | null {
  return versionId === undefined || versionId === 'null' ? null : versionId;
}
