/** EventBridge's "Object Created": https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html */
import * as z from 'zod/mini';
import { checkKey, decodeFormKey, moment, type ObjectRef, unquoted } from './object-ref.ts';
import { parse, SEQUENCER, shortText } from './parse.ts';

const envelopeSchema = z.object({ source: z.literal('aws.s3'), 'detail-type': z.string(), detail: z.unknown() });

const createdSchema = z.object({
  time: z.iso.datetime(),
  detail: z.object({
    bucket: z.object({ name: z.string().check(z.minLength(1)) }),
    object: z.object({
      key: z.string().check(z.minLength(1)),
      size: z.int().check(z.nonnegative()),
      etag: z.string().check(z.minLength(1)),
      'version-id': z.nullish(z.string()),
      sequencer: z.string().check(z.regex(SEQUENCER)),
    }),
    'request-id': z.optional(shortText),
    requester: z.optional(shortText),
  }),
});

export function isEventBridgeEvent(document: unknown): boolean {
  return envelopeSchema.safeParse(document).success;
}

/** `null`: an S3 event of another kind. Throws `malformed-event`. */
export function parseEventBridge(document: unknown): ObjectRef | null {
  if (parse(envelopeSchema, document, 'EventBridge event')['detail-type'] !== 'Object Created') return null;
  const { time, detail } = parse(createdSchema, document, 'EventBridge event');
  const { key, size, etag, sequencer } = detail.object;
  // Whether EventBridge form-encodes keys is not documented: both readings are kept, and the etag pin tells which exists.
  const decoded = decodeFormKey(key);
  checkKey(key);
  return {
    bucket: detail.bucket.name,
    key,
    ...(decoded === null || decoded === key ? {} : { alternativeKey: decoded }),
    ...(detail.object['version-id'] ? { versionId: detail.object['version-id'] } : {}),
    etag: unquoted(etag),
    size,
    sequencer,
    eventTime: moment(time),
    ...(detail.requester === undefined ? {} : { requester: detail.requester }),
    correlationId: detail['request-id'] ?? sequencer,
  };
}
