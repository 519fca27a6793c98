/** Bytes of a source, which are read only where they must pass through here. */
import { Readable } from 'node:stream';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { SealdropError } from '../errors.ts';
import type { ObjectRef } from '../events/index.ts';
import { keyProblem } from '../events/object-key.ts';
import { translateAwsError } from '../translate-aws-error.ts';
import type { CopyDeps } from './copy-job.ts';
import { translateCopyError } from './translate-copy-error.ts';

/** A text that goes with an object is no longer; what is, is none. */
export const MAX_TEXT_BYTES = 64 * 1024;

/**
 * The very state that the event named, in its full length. The SDK compares it with the checksum that S3 has of the whole, if it has one; of a
 * checksum of parts it does not.
 *
 * S3 is asked when the first byte is: a body that nobody reads yet would end the process if it broke meanwhile.
 * @throws SealdropError `source-gone`, `source-changed`, `source-unreadable`, or what heals
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-dataintegrity.html
 */
export async function* readSource(deps: CopyDeps, ref: ObjectRef, size: number): AsyncGenerator<Uint8Array> {
  const { bucket, key, versionId, etag } = ref;
  yield* inFull(await bodyOf(deps, ref, { bucket, key, versionId, etag }), size, ref);
}

/**
 * The text of a source, or of another object beside it.
 * @param at with `versionId` and `etag` that very state, else what is there now
 * @returns `null`: there is none, or there can be none of that key
 * @throws SealdropError as `readSource`, and `source-not-decryptable` for what is longer than such a text
 */
export async function readSourceText(deps: CopyDeps, ref: ObjectRef, at: Omit<SourceAt, 'bucket'>): Promise<string | null> {
  if (keyProblem(at.key) !== null) return null;
  const body = await bodyOf(deps, ref, { bucket: ref.bucket, ...at }).catch((error: unknown) => {
    if (error instanceof SealdropError && error.code === 'source-gone') return null;
    throw error;
  });
  if (body === null) return null;
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of chunksOf(body, ref)) {
    length += piece.length;
    if (length > MAX_TEXT_BYTES)
      throw new SealdropError('source-not-decryptable', `${at.key} is too long for an instruction file`, { object: ref });
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

interface SourceAt {
  bucket: string;
  key: string;
  versionId?: string | undefined;
  etag?: string;
}

async function bodyOf(deps: CopyDeps, ref: ObjectRef, { bucket, key, versionId, etag }: SourceAt): Promise<Readable> {
  const { s3, signal, ingestBucketOwner, targetBucket } = deps;
  const get = new GetObjectCommand({
    Bucket: bucket,
    ExpectedBucketOwner: ingestBucketOwner,
    Key: key,
    VersionId: versionId,
    IfMatch: etag,
    ChecksumMode: 'ENABLED',
  });
  const { Body } = await s3.send(get, signal && { abortSignal: signal }).catch((error: unknown) => {
    throw translateCopyError(error, ref, targetBucket);
  });
  if (!(Body instanceof Readable)) throw new SealdropError('service-unavailable', 'S3 answered without a body', { object: ref });
  return Body;
}

async function* inFull(body: Readable, size: number, ref: ObjectRef): AsyncGenerator<Uint8Array> {
  let read = 0;
  for await (const chunk of chunksOf(body, ref)) {
    read += chunk.length;
    yield chunk;
  }
  if (read !== size) {
    throw new SealdropError('service-unavailable', `${read} of ${size} bytes of the source were read; nothing was stored`, { object: ref });
  }
}

async function* chunksOf(body: Readable, ref: ObjectRef): AsyncGenerator<Uint8Array> {
  try {
    yield* body as AsyncIterable<Uint8Array>;
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('Checksum mismatch')) {
      const message = 'what was read of the source has not its checksum; nothing was stored';
      throw new SealdropError('service-unavailable', message, { object: ref, cause: error });
    }
    throw translateAwsError(error, {}, ref);
  }
}
