/** EventBridge's "Object Created": https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html */
import * as z from 'zod/mini';
import { keyProblem } from './object-key.ts';
import { checkKey, decodeFormKey, moment, type ObjectRef, unquoted } from './object-ref.ts';
import { bucketName, etagText, parse, requestIdText, SEQUENCER, shortText, versionIdText } from './parse.ts';

const envelopeSchema = z.object({ source: z.literal('aws.s3'), 'detail-type': z.string(), detail: z.unknown() });

const createdSchema = z.object({
  time: z.iso.datetime(),
  detail: z.object({
    bucket: z.object({ name: bucketName }),
    object: z.object({
      key: z.string().check(z.minLength(1)),
      size: z.int().check(z.nonnegative()),
      etag: etagText,
      'version-id': z.nullish(versionIdText),
      sequencer: z.string().check(z.regex(SEQUENCER)),
    }),
    'request-id': z.optional(requestIdText),
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
    ...(decoded === null || decoded === key || keyProblem(decoded) !== null ? {} : { alternativeKey: decoded }),
    ...(detail.object['version-id'] ? { versionId: detail.object['version-id'] } : {}),
    etag: unquoted(etag),
    size,
    sequencer,
    eventTime: moment(time),
    ...(detail.requester ? { requester: detail.requester } : {}),
    correlationId: detail['request-id'] || sequencer,
  };
}
