/** S3's own notification: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
import * as z from 'zod/mini';
import { SealdropError } from '../errors.ts';
import { checkKey, decodeFormKey, moment, type ObjectRef, unquoted } from './object-ref.ts';
import { bucketName, etagText, parse, requestIdText, SEQUENCER, shortText, versionIdText } from './parse.ts';

/** Minor versions add members only: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
const SUPPORTED_MAJOR = '2.';

const recordSchema = z.object({
  eventVersion: z.string().check(z.regex(/^\d{1,4}\.\d{1,4}$/)),
  eventSource: z.literal('aws:s3'),
  // Whatever kinds S3 may add; what has no kind at all must not pass for one that concerns nobody.
  eventName: z.string().check(z.regex(/^(s3:)?[A-Za-z]{1,64}(:[A-Za-z]{1,64})?$/)),
});

const createdSchema = z.object({
  eventTime: z.iso.datetime(),
  userIdentity: z.optional(z.object({ principalId: z.optional(shortText) })),
  responseElements: z.optional(z.object({ 'x-amz-request-id': z.optional(requestIdText) })),
  s3: z.object({
    bucket: z.object({ name: bucketName }),
    object: z.object({
      key: z.string().check(z.minLength(1)),
      size: z.int().check(z.nonnegative()),
      eTag: etagText,
      // Documented as null in a bucket without versioning; in practice it is left out.
      versionId: z.nullish(versionIdText),
      sequencer: z.string().check(z.regex(SEQUENCER)),
    }),
  }),
});

/** `null`: an event that Sealdrop takes no notice of, such as a deletion. Throws `malformed-event`. */
export function parseS3Record(record: unknown): ObjectRef | null {
  if (!s3EventName(record).startsWith('ObjectCreated:')) return null;

  const { eventTime, userIdentity, responseElements, s3 } = parse(createdSchema, record, 'S3 record');
  const key = decodeFormKey(s3.object.key);
  if (key === null) throw new SealdropError('malformed-event', 'S3 record: s3.object.key is not form-encoded');
  checkKey(key);
  return {
    bucket: s3.bucket.name,
    key,
    ...(s3.object.versionId ? { versionId: s3.object.versionId } : {}),
    etag: unquoted(s3.object.eTag),
    size: s3.object.size,
    sequencer: s3.object.sequencer,
    eventTime: moment(eventTime),
    ...(userIdentity?.principalId ? { requester: userIdentity.principalId } : {}),
    correlationId: responseElements?.['x-amz-request-id'] || s3.object.sequencer,
  };
}

/** `ObjectCreated:Put`, without the prefix that some documents give it. Throws `malformed-event` for another version than is understood. */
export function s3EventName(record: unknown): string {
  const { eventVersion, eventName } = parse(recordSchema, record, 'S3 record');
  if (!eventVersion.startsWith(SUPPORTED_MAJOR)) {
    throw new SealdropError('malformed-event', `S3 record of version ${eventVersion}; understood: ${SUPPORTED_MAJOR}x`);
  }
  return eventName.replace(/^s3:/, '');
}

/** S3 sends this once when a notification is configured; it has no records. */
export function isTestEvent(document: unknown): boolean {
  return z.object({ Service: z.literal('Amazon S3'), Event: z.literal('s3:TestEvent') }).safeParse(document).success;
}
