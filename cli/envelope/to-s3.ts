/** Chunks into an object, which is there whole or not at all. */
import type { S3Client } from '@aws-sdk/client-s3';
import type { CopyDeps, CopyJob, PreparedCopy, StoredCopy } from '../../src/copy/copy-job.ts';
import type { SourceDescription } from '../../src/copy/source-description.ts';
import { targetEtag } from '../../src/copy/target-object.ts';
import { uploadChunks } from '../../src/copy/upload-chunks.ts';
import type { ResolvedEncryption } from '../../src/encryption/index.ts';
import { SealdropError } from '../../src/errors.ts';
import { Failure } from '../failure.ts';
import { type ObjectPlace, placeText } from './place.ts';

/** S3's own: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MAX_PARTS = 10_000;
const MIB = 1024 * 1024;
/** Said, so that an object can be recognised by it. */
const DEFAULT_TYPE = 'application/octet-stream';
/** For memory alone: three came within 2 MiB of what `npm run large-encrypt` allows. They may be faster, which was not shown either way. */
const PARALLEL_PARTS = 2;
/** Somebody else may write the object at the same time, but not for ever. */
const COMMITS = 3;

export interface StoreOptions {
  s3: S3Client;
  /** The account that must own the bucket. */
  owner: string;
  encryption: ResolvedEncryption;
  contentType: string | undefined;
  contentEncoding: string | undefined;
  /** Of the chunks together; `null`: nobody knows. */
  size: number | null;
  /** Unless they need larger ones. */
  partBytes: number;
  overwrite: boolean;
  signal: AbortSignal;
}

/** Before anything is read or sent. @throws Failure: it is there, unless it may be overwritten */
export async function refuseExisting(
  place: ObjectPlace,
  { s3, owner, overwrite, signal }: Omit<StoreOptions, 'size' | 'encryption'>,
): Promise<void> {
  if (overwrite) return;
  const deps = copyDeps(place, { s3, owner, signal, partBytes: 0, size: null });
  const etag = await targetEtag(deps, place.key).catch((error: unknown) => {
    // Who may not list is told by S3 in the end.
    if (error instanceof SealdropError && error.code === 'target-denied') return null;
    throw error;
  });
  if (etag !== null) throw isThere(place);
}

/**
 * In parts, side by side, with the checksum of the whole and the encryption compared with S3's answers.
 * @returns what S3 says that it has
 * @throws SealdropError, Failure, and what the chunks throw; nothing of it is left then
 */
export async function store(place: ObjectPlace, chunks: AsyncIterable<Uint8Array>, options: StoreOptions): Promise<StoredCopy> {
  const deps = copyDeps(place, options);
  const job = jobOf(place, options);
  const prepared = await uploadChunks(deps, job, { source: described(options), storageClass: 'STANDARD' }, chunks);
  try {
    options.signal.throwIfAborted();
    return await commit(prepared, deps, place, options);
  } catch (error) {
    await prepared.abandon();
    throw error;
  }
}

async function commit(prepared: PreparedCopy, deps: CopyDeps, place: ObjectPlace, { overwrite }: StoreOptions): Promise<StoredCopy> {
  for (let left = COMMITS; ; left -= 1) {
    const there = overwrite ? await targetEtag(deps, place.key) : null;
    try {
      return await prepared.commit(there === null ? 'absent' : { etag: there });
    } catch (error) {
      const isChanged = error instanceof SealdropError && error.code === 'target-changed';
      if (isChanged && !overwrite) throw isThere(place, error);
      if (!isChanged || left === 1) throw error;
    }
  }
}

function copyDeps({ bucket }: ObjectPlace, options: Pick<StoreOptions, 's3' | 'owner' | 'signal' | 'partBytes' | 'size'>): CopyDeps {
  const { s3, owner, signal, partBytes, size } = options;
  return {
    s3,
    targetBucket: bucket,
    targetBucketOwner: owner,
    // There is none: nothing is copied.
    ingestBucketOwner: owner,
    limits: { partsAboveBytes: partBytes, partBytes, streamedPartBytes: partBytesFor(size, partBytes), parallelParts: PARALLEL_PARTS },
    signal,
  };
}

/** @returns bytes of a part: what goes by one request needs no more memory than it has bytes */
export function partBytesFor(size: number | null, least: number): number {
  if (size === null) return least;
  return size < least ? size + 1 : Math.max(least, Math.ceil(size / MAX_PARTS / MIB) * MIB);
}

function jobOf({ bucket, key }: ObjectPlace, { encryption, size }: StoreOptions): CopyJob {
  return {
    // No event names it: what is known of it is its place.
    ref: { bucket, key, etag: '', size: size ?? 0, sequencer: '', eventTime: '', correlationId: '' },
    encryption,
    storageClass: 'STANDARD',
    saved: null,
    // Uploads of the same key are other people's.
    spared: async (listed) => listed.map(({ uploadId }) => uploadId),
    began: async () => {},
  };
}

function described({ contentType = DEFAULT_TYPE, contentEncoding, size }: StoreOptions): SourceDescription {
  return {
    size: size ?? 0,
    // After a lost answer the object is recognised by its size, parts and checksum, whenever it came.
    lastModified: new Date(0),
    storageClass: 'STANDARD',
    // All of the headers that an answer can have, so that they can be compared.
    headers: {
      ContentType: contentType,
      ContentEncoding: contentEncoding,
      ContentLanguage: undefined,
      ContentDisposition: undefined,
      CacheControl: undefined,
      Metadata: {},
    },
    expires: null,
    tags: [],
    checksum: null,
    losses: { checksum: false, description: false },
    unsayable: null,
  };
}

function isThere(place: ObjectPlace, cause?: unknown): Failure {
  return new Failure(`${placeText(place, 'standard output')} is there already.`, {
    nextStep: '--force overwrites it; or say another KEY.',
    cause,
  });
}
