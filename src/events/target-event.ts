/** What S3 tells of the target bucket: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
import * as z from 'zod/mini';
import { SealdropError } from '../errors.ts';
import { checkKey, decodeFormKey, moment, unquoted } from './object-ref.ts';
import { bucketName, etagText, parse, requestIdText, SEQUENCER, shortText, versionIdText } from './parse.ts';
import { s3EventName } from './s3-notification.ts';

interface Change {
  bucket: string;
  key: string;
  /** Absent in a bucket that was never versioned. */
  versionId?: string;
  /** Tells this event of the key from every other: S3's sequencer, or the request and the version where S3 sends none. */
  uniqueId: string;
  /** ISO 8601 with milliseconds. The same in every delivery of the event. */
  eventTime: string;
  /** S3's id of the request. */
  correlationId: string;
  /** As S3 names who did it: `AWS:ROLE_ID:SESSION`, `AWS:USER_ID`, an account, or a service. */
  principal: string;
  sourceIpAddress?: string;
}

export interface ObjectWritten extends Change {
  kind: 'written';
  /** S3's word for how: `Put`, `Post`, `Copy`, `CompleteMultipartUpload`. */
  operation: string;
  /** Bytes. */
  size: number;
  /** Without quotes. */
  etag: string;
}

export interface ObjectDeleted extends Change {
  kind: 'deleted';
  /** A delete marker hides the versions; without one it is the version (or the only object) that is gone. */
  marker: boolean;
  /** A lifecycle rule did it: https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-configure-notification.html */
  lifecycle: boolean;
}

export type TargetEvent = ObjectWritten | ObjectDeleted;

/** Also kinds that S3 may add: the bucket sends all of them, and none may pass unseen. */
const DELETED = /^(ObjectRemoved|LifecycleExpiration):(.+)$/;

/** It is part of a sort key, of at most 1,024 bytes: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html */
const MAX_ID_LENGTH = 800;

const changeSchema = z.object({
  eventTime: z.iso.datetime(),
  userIdentity: z.optional(z.object({ principalId: z.optional(shortText) })),
  requestParameters: z.optional(z.object({ sourceIPAddress: z.optional(shortText) })),
  responseElements: z.optional(z.object({ 'x-amz-request-id': z.optional(requestIdText) })),
  s3: z.object({
    bucket: z.object({ name: bucketName }),
    object: z.object({
      key: z.string().check(z.minLength(1)),
      versionId: z.nullish(versionIdText),
      sequencer: z.optional(z.string().check(z.regex(SEQUENCER))),
    }),
  }),
});

const writtenSchema = z.object({
  s3: z.object({ object: z.object({ size: z.int().check(z.nonnegative()), eTag: etagText }) }),
});

/** `null`: an event that changes no object, such as a new tag. Throws `malformed-event`. */
export function parseTargetRecord(record: unknown): TargetEvent | null {
  const name = s3EventName(record);
  const [, cause, deletion] = DELETED.exec(name) ?? [];
  if (deletion !== undefined) {
    return { ...changeOf(record), kind: 'deleted', marker: deletion === 'DeleteMarkerCreated', lifecycle: cause === 'LifecycleExpiration' };
  }
  const [, operation] = /^ObjectCreated:(.+)$/.exec(name) ?? [];
  if (operation === undefined) return null;
  const { size, eTag } = parse(writtenSchema, record, 'S3 record').s3.object;
  return { ...changeOf(record), kind: 'written', operation, size, etag: unquoted(eTag) };
}

function changeOf(record: unknown): Change {
  const { eventTime, userIdentity, requestParameters, responseElements, s3 } = parse(changeSchema, record, 'S3 record');
  const key = decodeFormKey(s3.object.key);
  if (key === null) throw new SealdropError('malformed-event', 'S3 record: s3.object.key is not form-encoded');
  checkKey(key);
  const { versionId, sequencer } = s3.object;
  const requestId = responseElements?.['x-amz-request-id'] || undefined;
  // One request may delete a thousand versions of a key.
  const uniqueId = sequencer ?? (requestId && versionId ? `${requestId}#${versionId}` : requestId);
  if (uniqueId === undefined) throw new SealdropError('malformed-event', 'S3 record: neither a sequencer nor a request id');
  if (uniqueId.length > MAX_ID_LENGTH) throw new SealdropError('malformed-event', 'S3 record: request id and version id are too long');
  return {
    bucket: s3.bucket.name,
    key,
    // In a bucket whose versioning is suspended the version is called null.
    ...(versionId && versionId !== 'null' ? { versionId } : {}),
    uniqueId,
    eventTime: moment(eventTime),
    correlationId: requestId ?? uniqueId,
    principal: userIdentity?.principalId || 'unknown',
    ...(requestParameters?.sourceIPAddress ? { sourceIpAddress: requestParameters.sourceIPAddress } : {}),
  };
}
