/** Opens an object of the target bucket for one who may read it, and records that before its first byte. */

import { Readable } from 'node:stream';
import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { AuditEvent } from './audit/event.ts';
import type { ObjectRecords } from './audit/object-record.ts';
import type { AuditTrail } from './audit/trail.ts';
import { KMS_ERRORS } from './copy/translate-copy-error.ts';
import { type CustomerKey, type EncryptionDescription, keyParameters } from './encryption/index.ts';
import { asSealdropError, SealdropError } from './errors.ts';
import { mayAccess } from './http/access.ts';
import type { ObjectHead } from './http/object-headers.ts';
import type { Caller } from './http/request.ts';
import type { CustomerKeys } from './keys/customer-keys.ts';
import type { Log } from './observability.ts';
import type { AccessRule, EncryptionMode } from './policy/schema.ts';
import { recordRefusal } from './record-refusal.ts';
import { translateAwsError } from './translate-aws-error.ts';

export interface OpenDeps {
  s3: S3Client;
  targetBucket: string;
  access: AccessRule[];
  records: ObjectRecords;
  trail: AuditTrail;
  customerKeys: CustomerKeys;
  log: Log;
}

export interface OpenRequest {
  key: string;
  caller: Caller;
  /** `inspect`: what is known of the object, without its bytes. */
  purpose: 'read' | 'inspect';
  requestId: string;
}

export interface OpenedObject extends ObjectHead {
  /** The decrypted bytes; `null` for `inspect`. */
  body: Readable | null;
}

/**
 * @throws SealdropError `forbidden` before anything is looked up, so that it tells nothing of the object; `not-found`;
 * `audit-unavailable` when the read cannot be recorded; the key's own code when S3 cannot decrypt
 */
export async function openObject(request: OpenRequest, deps: OpenDeps): Promise<OpenedObject> {
  const { key, caller, requestId } = request;
  if (!mayAccess(deps.access, caller.claims, 'read', key)) {
    await recordRefusal({ action: 'DownloadDenied', bucket: deps.targetBucket, key, caller, requestId }, deps);
    throw new SealdropError('forbidden', 'You may not read this key');
  }
  const event = readEvent(request, deps.targetBucket);
  const opened = await open(request, deps).catch(async (error: unknown) => {
    const failure = asSealdropError(error, { bucket: deps.targetBucket, key });
    await deps.trail.append([{ ...event, outcome: 'failure', code: failure.code, detail: failure.message }]);
    throw failure;
  });
  try {
    const { versionId, contentLength: size } = opened.object;
    await deps.trail.append([{ ...event, encryption: opened.encryption, size, ...(versionId === undefined ? {} : { versionId }) }]);
  } catch (error) {
    opened.object.body?.destroy();
    throw error;
  }
  return opened.object;
}

interface Opened {
  object: OpenedObject;
  encryption: EncryptionDescription;
}

type S3Answer = GetObjectCommandOutput | HeadObjectCommandOutput;

/**
 * The record says which key opens the object. It may be behind, since it is written after the copy, or absent: while S3
 * refuses the key (or its absence), no key and then the current one are tried.
 */
async function open(request: OpenRequest, deps: OpenDeps): Promise<Opened> {
  const record = await deps.records.get(deps.targetBucket, request.key);
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

async function openWith(customerKey: CustomerKey | null, request: OpenRequest, deps: OpenDeps): Promise<Opened> {
  const input = {
    Bucket: deps.targetBucket,
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
  return { object: { ...headOf(answer), body: answer.Body }, encryption: describeAnswer(answer, customerKey) };
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
    mode: modeOf(answer),
  };
}

const MODES: Record<string, EncryptionMode> = { AES256: 'sse-s3', 'aws:kms': 'sse-kms', 'aws:kms:dsse': 'dsse-kms' };

/** How the object is stored is what S3 says of it now, not what was once recorded. */
function modeOf(answer: S3Answer): EncryptionMode {
  if (answer.SSECustomerAlgorithm !== undefined) return 'sse-c';
  const mode = MODES[answer.ServerSideEncryption ?? ''];
  if (mode === undefined) throw new SealdropError('answer-mismatch', 'S3 does not say how the object is encrypted');
  return mode;
}

function describeAnswer(answer: S3Answer, customerKey: CustomerKey | null): EncryptionDescription {
  const mode = modeOf(answer);
  return {
    mode,
    ...(answer.SSEKMSKeyId === undefined ? {} : { keyArn: answer.SSEKMSKeyId }),
    // S3 sends the Bucket Key header only when it is on.
    ...(mode === 'sse-kms' ? { bucketKey: answer.BucketKeyEnabled ?? false } : {}),
    ...(customerKey === null ? {} : { customerKeyVersion: customerKey.versionId }),
  };
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
    if (withKey && !/not authorized to perform/.test(message)) return new KeyRefused(message, { cause: error });
    return new SealdropError(/kms:/.test(message) ? 'kms-key-denied' : 'access-denied', `S3 denies the read (${message})`, {
      object,
      cause: error,
    });
  }
  return translateAwsError(error, KMS_ERRORS, object);
}

function readEvent({ key, caller, purpose, requestId }: OpenRequest, bucket: string): AuditEvent {
  const at = new Date().toISOString();
  const action = purpose === 'read' ? 'ObjectDownloaded' : 'ObjectInspected';
  return {
    action,
    outcome: 'success',
    bucket,
    key,
    actor: caller.subject,
    at,
    recordedAt: at,
    uniqueId: requestId,
    correlationId: requestId,
  };
}
