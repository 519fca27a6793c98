/** A copy whose bytes pass through here: read, encrypted, and uploaded as a message that S3 cannot open. In constant memory, whatever the size. */
import { Readable } from 'node:stream';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { type ClientSideMode, codedAs, type ResolvedEncryption } from '../encryption/index.ts';
import { sealMessage } from '../envelope/index.ts';
import { SealdropError } from '../errors.ts';
import { translateAwsError } from '../translate-aws-error.ts';
import type { CopyDeps, CopyJob, Envelope, Preparation, StoredCopy } from './copy-job.ts';
import { contextOf, type Sealer } from './sealer.ts';
import { describeSource, type SourceDescription } from './source-description.ts';
import { headWithChecksum, sourceTags } from './source-object.ts';
import { storedChecksum } from './stored-checksum.ts';
import { abandonUpload, keyOf } from './target-object.ts';
import { translateCopyError } from './translate-copy-error.ts';
import { uploadChunks } from './upload-chunks.ts';

/**
 * What an earlier run left is begun anew: a message is under a data key that nobody has any more.
 * @throws SealdropError of the source, the keys or the target; `too-large-for-rule` before any byte is read; `time-out`
 */
export async function prepareStream(deps: CopyDeps, job: CopyJob, encryption: ResolvedEncryption<ClientSideMode>): Promise<Preparation> {
  const { ref, saved } = job;
  const { sealer } = deps;
  if (sealer === undefined) throw new SealdropError('config-invalid', 'nothing here encrypts before S3 does', { object: ref });
  requireFitting(ref.size, encryption, job);
  if (saved !== null) await abandonUpload(deps, keyOf(job), saved.uploadId);
  const [{ head }, tags] = await Promise.all([headWithChecksum(deps, job), sourceTags(deps, ref)]);
  const source = describeSource(head, tags, true);
  requireFitting(source.size, encryption, job);
  if (source.unsayable !== null) {
    throw new SealdropError('metadata-not-copyable', `the object is stored by a request that cannot carry ${source.unsayable}`, {
      object: ref,
    });
  }
  const checksum = storedChecksum(head);
  const plaintextChecksum = checksum?.type === 'FULL_OBJECT' ? checksum : null;
  return sealer.slots(async () => {
    if (deps.stop?.aborted) throw new SealdropError('time-out', 'time ended before the object was read', { object: ref });
    const { ready, envelope } = await sealed(deps, job, encryption, source, sealer);
    const about: Pick<StoredCopy, 'proof' | 'envelope'> = {
      proof: 'sealed',
      envelope: { ...envelope, ...(plaintextChecksum === null ? {} : { plaintextChecksum }) },
    };
    return { ready: { ...ready, commit: async (condition) => ({ ...(await ready.commit(condition)), ...about }) } };
  });
}

async function sealed(
  deps: CopyDeps,
  job: CopyJob,
  encryption: ResolvedEncryption<ClientSideMode>,
  source: SourceDescription,
  sealer: Sealer,
) {
  const context = contextOf(encryption, deps.targetBucket, keyOf(job));
  const plaintext = await readSource(deps, job, source.size);
  const message = await sealMessage(plaintext, { context, dataKeys: sealer.keysFor(encryption), plaintextBytes: source.size });
  const storageClass = job.storageClass === 'keep' ? source.storageClass : job.storageClass;
  const headers = { ...source.headers, ContentEncoding: codedAs(encryption.mode, source.headers.ContentEncoding) };
  const { bytes, ...ready } = await uploadChunks(deps, job, { source: { ...source, headers }, storageClass }, message.chunks);
  const envelope: Envelope = { messageId: message.messageId, messageBytes: bytes };
  return { ready, envelope };
}

function requireFitting(size: number, { mode, upToBytes }: ResolvedEncryption<ClientSideMode>, { ref }: CopyJob): void {
  if (size <= upToBytes) return;
  const message = `the object has ${size} bytes; the rule's ${mode} takes up to ${upToBytes}, since they pass through one function`;
  throw new SealdropError('too-large-for-rule', message, { object: ref });
}

/**
 * The very state that the event named. The SDK compares what it reads with the checksum that S3 has of it, if it has one of the whole.
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-dataintegrity.html
 */
async function readSource(deps: CopyDeps, { ref }: CopyJob, size: number): Promise<AsyncGenerator<Uint8Array>> {
  const { s3, signal, ingestBucketOwner, targetBucket } = deps;
  const { bucket, key, versionId, etag } = ref;
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
  return inFull(Body, size, ref);
}

async function* inFull(body: Readable, size: number, ref: CopyJob['ref']): AsyncGenerator<Uint8Array> {
  let read = 0;
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      read += chunk.length;
      yield chunk;
    }
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('Checksum mismatch')) {
      const message = 'what was read of the source has not its checksum; nothing was stored';
      throw new SealdropError('service-unavailable', message, { object: ref, cause: error });
    }
    throw translateAwsError(error, {}, ref);
  }
  if (read !== size) {
    throw new SealdropError('service-unavailable', `${read} of ${size} bytes of the source were read; nothing was stored`, { object: ref });
  }
}
