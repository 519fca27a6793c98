/** An object of the target bucket, or one range of it, as S3 gives it under one key. */
import { Readable } from 'node:stream';
import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { storedChecksum } from './copy/stored-checksum.ts';
import { KMS_ERRORS } from './copy/translate-copy-error.ts';
import { deniedCall } from './denied-call.ts';
import { answeredEncryption, type CustomerKey, type EncryptionDescription, keyParameters } from './encryption/index.ts';
import { SealdropError } from './errors.ts';
import type { ObjectHead } from './http/object-headers.ts';
import { type ByteRange, parseContentRange, type RangeSpec, rangeHeader } from './http/range.ts';
import { statusOf, translateAwsError } from './translate-aws-error.ts';

export interface StoredDeps {
  s3: S3Client;
  targetBucket: string;
  /** The account that must own it. */
  targetBucketOwner: string;
}

export interface ReadRequest {
  key: string;
  /** Absent: the current version. */
  versionId?: string;
  /** `inspect`: what is known of the object, without its bytes. */
  purpose: 'read' | 'inspect';
  /** `null`: the whole. */
  range: RangeSpec | null;
  /** The only state that is meant, with quotes. */
  ifMatch?: string;
}

export interface OpenedObject extends ObjectHead {
  /** Which bytes `body` holds; `null`: all. */
  range: ByteRange | null;
  /** The decrypted bytes; `null` for `inspect`. */
  body: Readable | null;
}

export interface ReadResult {
  object: OpenedObject;
  /** As S3 says now. */
  encryption: EncryptionDescription;
}

type S3Answer = GetObjectCommandOutput | HeadObjectCommandOutput;

/** Ends a body that nobody reads: it would hold its connection until the function ends. Few bytes are quicker read than a new connection made. */
export function letGo({ body, contentLength }: OpenedObject): void {
  // What breaks it now is nobody's loss, and must not end the function.
  body?.on('error', () => {});
  if (contentLength > DRAINED_BYTES) body?.destroy();
  else body?.resume();
}

const DRAINED_BYTES = 64 * 1024;

/** S3 wants a customer key and got none, or another one, or the other way round. */
export class KeyRefused extends Error {}

/**
 * @param customerKey `null`: none
 * @returns `null`: the range begins behind the object's end
 * @throws KeyRefused; SealdropError `not-found`, `conflict` where it is not as `ifMatch` says, or what S3's refusal means
 */
export async function openStored(customerKey: CustomerKey | null, request: ReadRequest, deps: StoredDeps): Promise<ReadResult | null> {
  const { key, versionId, purpose, range, ifMatch } = request;
  const object = { bucket: deps.targetBucket, key, versionId };
  const input = {
    Bucket: deps.targetBucket,
    ExpectedBucketOwner: deps.targetBucketOwner,
    Key: key,
    ...(versionId === undefined ? {} : { VersionId: versionId }),
    ...(ifMatch === undefined ? {} : { IfMatch: ifMatch }),
    ...(customerKey === null ? {} : keyParameters({ mode: 'sse-c', customerKey })),
  };
  if (purpose === 'inspect') {
    // As a GET asks for it by default; without it a HEAD would not tell the checksum that a GET tells.
    const answer = await deps.s3.send(new HeadObjectCommand({ ...input, ChecksumMode: 'ENABLED' })).catch((error: unknown) => {
      throw openError(error, customerKey !== null, object);
    });
    return { object: { ...headOf(answer), range: null, body: null }, encryption: describeAnswer(answer, customerKey) };
  }
  const get = new GetObjectCommand({ ...input, ...(range === null ? {} : { Range: rangeHeader(range) }) });
  const answer = await deps.s3.send(get).catch((error: unknown) => {
    if (statusOf(error) === 416) return null;
    throw openError(error, customerKey !== null, object);
  });
  if (answer === null) return null;
  if (!(answer.Body instanceof Readable)) throw new SealdropError('service-unavailable', 'S3 answered without a body');
  // It may break while nobody listens yet; whoever reads it is told.
  answer.Body.on('error', () => {});
  try {
    const partial = parseContentRange(answer.ContentRange);
    return {
      object: { ...headOf(answer), range: partial?.range ?? null, body: answer.Body },
      encryption: describeAnswer(answer, customerKey),
    };
  } catch (error) {
    answer.Body.destroy();
    throw error;
  }
}

function headOf(answer: S3Answer): ObjectHead {
  const contentLength = answer.ContentLength ?? 0;
  return {
    contentLength,
    size: parseContentRange(answer.ContentRange)?.size ?? contentLength,
    etag: answer.ETag,
    lastModified: answer.LastModified,
    contentType: answer.ContentType,
    contentEncoding: answer.ContentEncoding,
    contentLanguage: answer.ContentLanguage,
    contentDisposition: answer.ContentDisposition,
    cacheControl: answer.CacheControl,
    expires: answer.ExpiresString,
    metadata: answer.Metadata ?? {},
    versionId: answer.VersionId,
    checksum: storedChecksum(answer),
    mode: encryptionOf(answer).mode,
  };
}

/** How the object is stored is what S3 says of it now, not what was once recorded. */
function encryptionOf(answer: S3Answer): EncryptionDescription {
  const encryption = answeredEncryption(answer);
  if (encryption === null) throw new SealdropError('answer-mismatch', 'S3 does not say how the object is encrypted');
  return encryption;
}

function describeAnswer(answer: S3Answer, customerKey: CustomerKey | null): EncryptionDescription {
  return { ...encryptionOf(answer), ...(customerKey === null ? {} : { customerKeyVersion: customerKey.versionId }) };
}

/**
 * A HEAD is refused with a status alone: the SDK then has no name for the error.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
 */
function openError(error: unknown, withKey: boolean, object: { bucket: string; key: string; versionId: string | undefined }): Error {
  const status = statusOf(error);
  const { name, message } = error instanceof Error ? error : { name: '', message: '' };
  if (name === 'NoSuchBucket') return translateAwsError(error, { [name]: ['target-missing', 'the target bucket does not exist'] }, object);
  if (status === 412) return new SealdropError('conflict', 'the object was overwritten while it was read', { object, cause: error });
  const noSuchVersion = status === 400 && object.versionId !== undefined && name === 'InvalidArgument';
  if (status === 404 || status === 405 || noSuchVersion) {
    return new SealdropError('not-found', 'There is no such object', { object, cause: error });
  }
  // Other 400s (an expired token, a throttling KMS) have names of their own and say nothing about the key.
  if (status === 400 && (name === 'InvalidRequest' || name === 'Unknown')) return new KeyRefused(message, { cause: error });
  if (status === 403) {
    // IAM names the action that it denies; a wrong customer key is denied without a word.
    const call = deniedCall(message);
    if (withKey && call === null) return new KeyRefused(message, { cause: error });
    return new SealdropError(call?.action.startsWith('kms:') ? 'kms-key-denied' : 'access-denied', `S3 denies the read (${message})`, {
      object,
      cause: error,
    });
  }
  return translateAwsError(error, KMS_ERRORS, object);
}
