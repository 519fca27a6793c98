/** Reads an object of the target bucket with whichever key opens it. */
import { Readable } from 'node:stream';
import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { ObjectRecords } from './audit/object-record.ts';
import { KMS_ERRORS } from './copy/translate-copy-error.ts';
import { deniedCall } from './denied-call.ts';
import { answeredEncryption, type CustomerKey, type EncryptionDescription, keyParameters } from './encryption/index.ts';
import { SealdropError } from './errors.ts';
import type { ObjectHead } from './http/object-headers.ts';
import type { CustomerKeys } from './keys/customer-keys.ts';
import { translateAwsError } from './translate-aws-error.ts';

export interface ReadDeps {
  s3: S3Client;
  targetBucket: string;
  /** The account that must own it. */
  targetBucketOwner: string;
  records: ObjectRecords;
  customerKeys: CustomerKeys;
  /** The largest object whose bytes the way out can carry. */
  maxBodyBytes: number;
}

export interface ReadRequest {
  key: string;
  /** `inspect`: what is known of the object, without its bytes. */
  purpose: 'read' | 'inspect';
}

export interface OpenedObject extends ObjectHead {
  /** The decrypted bytes; `null` for `inspect`. */
  body: Readable | null;
}

export interface ReadResult {
  object: OpenedObject;
  /** As S3 says now. */
  encryption: EncryptionDescription;
}

type S3Answer = GetObjectCommandOutput | HeadObjectCommandOutput;

/**
 * The record says which key opens the object. It may be behind, since it is written after the copy, or absent: while S3
 * refuses the key (or its absence), no key and then the current one are tried.
 * @throws SealdropError `not-found`, `response-too-large`, the key's own code, or what S3's refusal means
 */
export async function readObject(request: ReadRequest, deps: ReadDeps): Promise<ReadResult> {
  const record = await deps.records.latest(deps.targetBucket, request.key);
  const version = record?.encryption.customerKeyVersion;
  const refused = new Set<string | undefined>();
  let refusal: unknown;
  for (const keyOf of [async () => (version === undefined ? null : deps.customerKeys.version(version)), noKey, deps.customerKeys.current]) {
    const customerKey = await keyOf();
    if (refused.has(customerKey?.versionId)) continue;
    try {
      return await openWith(customerKey, request, deps);
    } catch (error) {
      if (!(error instanceof KeyRefused)) throw error;
      refused.add(customerKey?.versionId);
      refusal = error;
    }
  }
  const object = { bucket: deps.targetBucket, key: request.key };
  throw new SealdropError('customer-key-mismatch', 'neither the recorded nor the current customer key opens the object', {
    object,
    cause: refusal,
  });
}

const noKey = async () => null;

/** S3 wants a customer key and got none, or another one, or the other way round. */
class KeyRefused extends Error {}

async function openWith(customerKey: CustomerKey | null, request: ReadRequest, deps: ReadDeps): Promise<ReadResult> {
  const input = {
    Bucket: deps.targetBucket,
    ExpectedBucketOwner: deps.targetBucketOwner,
    Key: request.key,
    ...(customerKey === null ? {} : keyParameters({ mode: 'sse-c', customerKey })),
  };
  const refuse = (error: unknown): never => {
    throw openError(error, customerKey !== null, { bucket: deps.targetBucket, key: request.key });
  };
  if (request.purpose === 'inspect') {
    const answer = await deps.s3.send(new HeadObjectCommand(input)).catch(refuse);
    return { object: { ...headOf(answer), body: null }, encryption: describeAnswer(answer, customerKey) };
  }
  const answer = await deps.s3.send(new GetObjectCommand(input)).catch(refuse);
  if (!(answer.Body instanceof Readable)) throw new SealdropError('service-unavailable', 'S3 answered without a body');
  try {
    return { object: { ...checkedHead(answer, request, deps), body: answer.Body }, encryption: describeAnswer(answer, customerKey) };
  } catch (error) {
    // An unread body would hold its connection until the function ends.
    answer.Body.destroy();
    throw error;
  }
}

/** @throws SealdropError `answer-mismatch`, `response-too-large` */
function checkedHead(answer: S3Answer, { key }: ReadRequest, { targetBucket, maxBodyBytes }: ReadDeps): ObjectHead {
  const head = headOf(answer);
  if (head.contentLength <= maxBodyBytes) return head;
  const message = `The object has ${head.contentLength} bytes; at most ${maxBodyBytes} can be streamed`;
  throw new SealdropError('response-too-large', message, { object: { bucket: targetBucket, key } });
}

function headOf(answer: S3Answer): ObjectHead {
  return {
    contentLength: answer.ContentLength ?? 0,
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
function openError(error: unknown, withKey: boolean, object: { bucket: string; key: string }): Error {
  const status =
    error instanceof Error && '$metadata' in error ? (error as { $metadata: { httpStatusCode?: number } }).$metadata.httpStatusCode : 0;
  const { name, message } = error instanceof Error ? error : { name: '', message: '' };
  if (name === 'NoSuchBucket') return translateAwsError(error, { [name]: ['target-missing', 'the target bucket does not exist'] }, object);
  if (status === 404 || status === 405) return new SealdropError('not-found', 'There is no such object', { object, cause: error });
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
