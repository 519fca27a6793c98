/** What S3's refusals of a copy mean: the source, a key or the target. */
import { deniedCall } from '../denied-call.ts';
import { keyArnAtS3 } from '../encryption/index.ts';
import { type ErrorObject, SealdropError } from '../errors.ts';
import type { ObjectRef } from '../events/index.ts';
import { type ErrorNames, translateAwsError } from '../translate-aws-error.ts';
import type { CopyDeps, CopyJob } from './copy-job.ts';

/** Failures of KMS as S3 passes them on, for reads and writes alike. */
export const KMS_ERRORS: ErrorNames = {
  'KMS.DisabledException': ['kms-key-disabled', 'the KMS key is disabled'],
  'KMS.KMSInvalidStateException': ['kms-key-pending-deletion', 'the KMS key cannot be used'],
  'KMS.NotFoundException': ['kms-key-not-found', 'the KMS key does not exist'],
  'KMS.AccessDeniedException': ['kms-key-denied', 'the KMS key may not be used'],
  'KMS.InvalidArnException': ['kms-key-not-found', 'the KMS key has no such ARN'],
  'KMS.InvalidKeyUsageException': ['kms-key-not-found', 'the KMS key is not one for encryption'],
  'KMS.LimitExceededException': ['quota', 'a quota of KMS is used up'],
  'KMS.KeyUnavailableException': ['service-unavailable', 'the KMS key is unavailable for a moment'],
  'KMS.DependencyTimeoutException': ['service-unavailable', 'KMS timed out'],
  'KMS.KMSInternalException': ['service-unavailable', 'KMS failed'],
};

const COPY_ERRORS: ErrorNames = {
  ...KMS_ERRORS,
  NoSuchKey: ['source-gone', 'the source object does not exist'],
  NoSuchVersion: ['source-gone', 'the source version does not exist'],
  PreconditionFailed: ['source-changed', 'the source object was overwritten since its event'],
  InvalidObjectState: ['source-unreadable', 'the source object is archived'],
  ObjectNotInActiveTierError: ['source-unreadable', 'the source object is archived'],
  OperationAborted: ['conflict', 'another operation on the object is under way'],
  ConditionalRequestConflict: ['conflict', 'another operation on the object is under way'],
  // Somebody else copies the same object, or did: whoever comes next finds what is there.
  NoSuchUpload: ['conflict', 'the upload ended meanwhile'],
  InvalidPart: ['conflict', 'a part of the upload was replaced meanwhile'],
  BadDigest: ['answer-mismatch', 'the parts together have not the checksum of the source; nothing was stored'],
  EntityTooSmall: ['config-invalid', 'parts are smaller than S3 takes'],
  EntityTooLarge: ['too-large', 'the object is larger than S3 takes'],
  MetadataTooLarge: ['metadata-not-copyable', 'metadata does not fit into one request'],
  RequestHeaderSectionTooLarge: ['metadata-not-copyable', 'metadata and tags do not fit into one request'],
};

/** @param targetKey the ARN of the KMS key that the copy is to be encrypted under, if any */
export function translateCopyError(error: unknown, ref: ObjectRef, targetBucket: string, targetKey?: string): SealdropError {
  const object: ErrorObject = { bucket: ref.bucket, key: ref.key, versionId: ref.versionId };
  const name = error instanceof Error ? error.name : '';
  const message = error instanceof Error ? error.message : '';
  if (name === 'NoSuchBucket') {
    const bucket = error instanceof Error && 'BucketName' in error ? String(error.BucketName) : targetBucket;
    const code = bucket === ref.bucket && bucket !== targetBucket ? 'source-gone' : 'target-missing';
    return new SealdropError(code, `bucket ${bucket} does not exist`, { object, cause: error });
  }
  if (name === 'AccessDenied') {
    const [code, meaning] = denied(message, ref.key, targetBucket, targetKey);
    return new SealdropError(code, `${meaning} (${name}: ${message})`, { object, cause: error });
  }
  if (name === 'InvalidArgument' && /version id/i.test(message)) {
    return new SealdropError('malformed-event', `S3 does not take the event's version id (${message})`, { object, cause: error });
  }
  if (name === 'InvalidRequest') {
    if (/larger than the maximum allowable size/i.test(message)) {
      return new SealdropError('too-large', message, { object, cause: error });
    }
    if (/x-amz-mp-object-size/i.test(message)) {
      return new SealdropError('answer-mismatch', `the parts together have not the size of the source; nothing was stored (${message})`, {
        object,
        cause: error,
      });
    }
    if (/Server Side Encryption/i.test(message)) {
      return new SealdropError('source-unreadable', `the source is encrypted with a key that we do not hold (${message})`, {
        object,
        cause: error,
      });
    }
  }
  return translateAwsError(error, COPY_ERRORS, object);
}

/** The same for the calls of an upload. */
export function translatePartsError(error: unknown, { targetBucket }: CopyDeps, { ref, encryption }: CopyJob): SealdropError {
  return translateCopyError(error, ref, targetBucket, keyArnAtS3(encryption));
}

/** A copy reads the source, opens it under its key, asks the target's key for a data key, and writes the target. */
function denied(
  message: string,
  key: string,
  targetBucket: string,
  targetKey: string | undefined,
): readonly [code: 'sse-c-blocked' | 'kms-key-denied' | 'source-unreadable' | 'target-denied' | 'access-denied', meaning: string] {
  const call = deniedCall(message);
  // The words in which S3 says this are not documented; names are no words of its own.
  const words = message.replaceAll(`/${key}`, '').replace(/arn:\S+/g, '');
  if (/SSE-C|customer-provided/i.test(words) && /block/i.test(words)) {
    return ['sse-c-blocked', 'the target bucket blocks SSE-C'];
  }
  if (call === null) return ['access-denied', 'S3 denies the copy'];
  const { action, resource } = call;
  if (action.startsWith('kms:')) {
    return action === 'kms:Decrypt' && resource !== targetKey
      ? ['source-unreadable', "the source's KMS key may not be used"]
      : ['kms-key-denied', 'the KMS key may not be used'];
  }
  const bucket = resource.split(':::')[1]?.split('/')[0];
  if (bucket === targetBucket || /^s3:(Put|Abort|Bypass)/.test(action)) return ['target-denied', 'the target may not be written'];
  return ['source-unreadable', 'the source may not be read'];
}
