/** What `encrypt` tells itself: of a copy that its time was too short for, or of one that must wait for a newer one's end. */
import * as z from 'zod/mini';
import { checkKey, moment, type ObjectRef } from './object-ref.ts';
import { bucketName, etagText, parse, requestIdText, SEQUENCER, shortText, versionIdText } from './parse.ts';
import { textOf } from './text.ts';

const KIND = 'continue-copy';

const continuationSchema = z.object({
  sealdrop: z.literal(KIND),
  object: z.object({
    bucket: bucketName,
    key: z.string().check(z.minLength(1)),
    versionId: z.optional(versionIdText),
    etag: etagText,
    size: z.int().check(z.nonnegative()),
    sequencer: z.string().check(z.regex(SEQUENCER)),
    eventTime: z.iso.datetime(),
    correlationId: requestIdText,
    requester: z.optional(shortText),
  }),
});

/** How far a copy came, for whoever reads the message; what counts is what S3 lists. */
export interface CopyProgress {
  uploadId: string;
  copiedParts: number;
  parts: number;
}

/** The message's text; `parseContinuation` gives the object back. */
export function continuationBody(ref: ObjectRef, upload?: CopyProgress): string {
  const { bucket, key, versionId, etag, size, sequencer, eventTime, correlationId, requester } = ref;
  const object = { bucket, key, versionId, etag, size, sequencer, eventTime, correlationId, requester };
  return textOf({ sealdrop: KIND, object, upload });
}

export function isContinuation(document: unknown): boolean {
  return z.object({ sealdrop: z.literal(KIND) }).safeParse(document).success;
}

/** Throws `malformed-event`. */
export function parseContinuation(document: unknown): ObjectRef {
  const { versionId, requester, eventTime, ...object } = parse(continuationSchema, document, 'continuation').object;
  checkKey(object.key);
  return {
    ...object,
    correlationId: object.correlationId || object.sequencer,
    eventTime: moment(eventTime),
    continued: true,
    ...(versionId ? { versionId } : {}),
    ...(requester === undefined ? {} : { requester }),
  };
}
