/**
 * A copy whose bytes pass through here: read, decrypted where the rule says so, encrypted where S3 must not see it, and uploaded. In constant
 * memory, whatever the size.
 */
import type { HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { codedAs, isClientSide } from '../encryption/index.ts';
import { sealMessage } from '../envelope/index.ts';
import { SealdropError } from '../errors.ts';
import type { CopyProgress } from '../events/index.ts';
import type { EncryptedMessage } from '../s3-encryption-client/index.ts';
import type { CopyDeps, CopyJob, Envelope, Preparation, StoredCopy } from './copy-job.ts';
import { contextOf, type Sealer } from './sealer.ts';
import { readSource } from './source-bytes.ts';
import { describeSource, type SourceDescription } from './source-description.ts';
import { sourceTags } from './source-object.ts';
import { storedChecksum } from './stored-checksum.ts';
import { keyOf } from './target-object.ts';
import { uploadChunks } from './upload-chunks.ts';

const NOTHING_YET: CopyProgress = { uploadId: '', copiedParts: 0, parts: 0 };

/** A source as it was looked at. */
export interface LookedAt {
  head: HeadObjectCommandOutput;
  /** What opens it; `null`: it is read as it is. */
  message: EncryptedMessage | null;
}

/**
 * What an earlier run left is not gone on with: a message is under a data key that nobody has any more. It may be another run's that is
 * still at it, too: uploads of the same source are ended once one of them is an object, or none is to be.
 * @throws SealdropError of the source, the keys or the target; `time-out`
 */
export async function prepareStream(deps: CopyDeps, job: CopyJob, looked: LookedAt): Promise<Preparation> {
  const { ref } = job;
  const { sealer } = deps;
  if (sealer === undefined) throw new SealdropError('config-invalid', 'nothing here encrypts before S3 does', { object: ref });
  const { head, message } = looked;
  const tags = await sourceTags(deps, ref);
  const source = describeSource(message === null ? head : { ...head, Metadata: message.metadata }, tags, true);
  if (source.unsayable !== null) {
    throw new SealdropError('metadata-not-copyable', `the object is stored by a request that cannot carry ${source.unsayable}`, {
      object: ref,
    });
  }
  const { activeCount, pendingCount, concurrency } = sealer.slots;
  const waits = activeCount + pendingCount >= concurrency;
  return sealer.slots(async () => {
    // Others had the time, some of it or all: it goes on in another function, and that was no try.
    if (deps.stop?.aborted) return { unfinished: NOTHING_YET };
    try {
      return { ready: await streamed(deps, job, looked, source, sealer) };
    } catch (error) {
      if (waits && deps.signal?.aborted) return { unfinished: NOTHING_YET };
      throw error;
    }
  });
}

/** @throws SealdropError `too-large-for-rule` above what the rule takes: it could not be done in one function's time */
export function requireFitting(size: number, { encryption, decrypt, ref }: CopyJob, { decryptor }: CopyDeps): void {
  const most = Math.min(
    isClientSide(encryption) ? encryption.upToBytes : Number.POSITIVE_INFINITY,
    decrypt === undefined ? Number.POSITIVE_INFINITY : (decryptor?.upToBytes ?? 0),
  );
  if (size <= most) return;
  const message = `the object has ${size} bytes; the rule takes up to ${most}, since they pass through one function`;
  throw new SealdropError('too-large-for-rule', message, { object: ref });
}

async function streamed(deps: CopyDeps, job: CopyJob, { head, message }: LookedAt, source: SourceDescription, sealer: Sealer) {
  const { ref, encryption } = job;
  const stored = readSource(deps, ref, source.size);
  const plaintext = counted(message === null ? stored : message.decrypt(stored));
  const storageClass = job.storageClass === 'keep' ? source.storageClass : job.storageClass;
  const about: Pick<StoredCopy, 'proof' | 'size' | 'envelope'> = { proof: 'streamed' };
  const upload = async (headers: SourceDescription['headers'], chunks: AsyncIterable<Uint8Array>) => {
    const { bytes, ...ready } = await uploadChunks(deps, job, { source: { ...source, headers }, storageClass }, chunks);
    if (message !== null) about.size = plaintext.bytes();
    return {
      bytes,
      ready: { ...ready, commit: async (...args: Parameters<typeof ready.commit>) => ({ ...(await ready.commit(...args)), ...about }) },
    };
  };
  if (!isClientSide(encryption)) return (await upload(source.headers, plaintext.chunks)).ready;

  const context = contextOf(encryption, deps.targetBucket, keyOf(job));
  const size = message === null ? source.size : message.size;
  const sealed = await sealMessage(plaintext.chunks, {
    context,
    dataKeys: sealer.keysFor(encryption),
    ...(size === null ? {} : { plaintextBytes: size }),
  });
  const headers = { ...source.headers, ContentEncoding: codedAs(encryption.mode, source.headers.ContentEncoding) };
  const { bytes, ready } = await upload(headers, sealed.chunks);
  about.envelope = { messageId: sealed.messageId, messageBytes: bytes, ...(message === null ? checksumOf(head) : {}) };
  return ready;
}

/** Of the whole, where S3 knows one. */
function checksumOf(head: HeadObjectCommandOutput): Pick<Envelope, 'plaintextChecksum'> {
  const checksum = storedChecksum(head);
  return checksum?.type === 'FULL_OBJECT' ? { plaintextChecksum: checksum } : {};
}

function counted(chunks: AsyncIterable<Uint8Array>): { chunks: AsyncGenerator<Uint8Array>; bytes: () => number } {
  let bytes = 0;
  async function* counting() {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      yield chunk;
    }
  }
  return { chunks: counting(), bytes: () => bytes };
}
