/** What the transit function is told: to copy a version for a download, and to delete such a copy. No message holds a key, a token or a byte of an object. */
import * as z from 'zod/mini';
import { type EventMessage, readMessages } from './messages.ts';
import { checkKey, moment, unquoted } from './object-ref.ts';
import { etagText, parse, requestIdText, versionIdText } from './parse.ts';
import { textOf } from './text.ts';

const VERSION = 1;

/** A version of an object of the target bucket. */
interface Named {
  /** The target bucket; no message names it. */
  bucket: string;
  key: string;
  versionId: string;
  /** The id of the request that asked for it. */
  correlationId: string;
}

export interface TransitOrder extends Named {
  kind: 'transit';
  /** Without quotes: the state that is to be copied. */
  etag: string;
  /** Bytes. */
  size: number;
  /** ISO 8601 with milliseconds. */
  requestedAt: string;
}

export interface TransitDeletion extends Named {
  kind: 'transit-delete';
  /** What the transit bucket calls the copy, and the state of it that goes; another one under its name stays. */
  copy: { name: string; etag: string };
}

export type TransitMessage = TransitOrder | TransitDeletion;

const named = {
  version: z.literal(VERSION),
  key: z.string().check(z.minLength(1)),
  versionId: versionIdText.check(z.minLength(1)),
  correlationId: requestIdText,
};

const messageSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('transit'),
    ...named,
    etag: etagText,
    size: z.int().check(z.nonnegative()),
    requestedAt: z.iso.datetime(),
  }),
  z.object({
    kind: z.literal('transit-delete'),
    ...named,
    copy: z.object({ name: z.string().check(z.regex(/^[0-9a-f]{64}$/)), etag: etagText }),
  }),
]);

/** The messages' texts; `parseTransitEvent` gives them back. */
export function transitOrderBody({ bucket: _, kind, ...order }: TransitOrder): string {
  return textOf({ kind, version: VERSION, ...order });
}

export function transitDeletionBody({ bucket: _, kind, ...deletion }: TransitDeletion): string {
  return textOf({ kind, version: VERSION, ...deletion });
}

/** Never throws: a message that cannot be understood carries its error (`malformed-event`). @param bucket the target bucket */
export function parseTransitEvent(event: unknown, bucket: string): EventMessage<TransitMessage>[] {
  return readMessages(event, (document) => [messageOf(document, bucket)]);
}

function messageOf(document: unknown, bucket: string): TransitMessage {
  const { version: _, ...message } = parse(messageSchema, document, 'transit message');
  checkKey(message.key);
  if (message.kind === 'transit-delete') {
    return { ...message, bucket, copy: { name: message.copy.name, etag: unquoted(message.copy.etag) } };
  }
  return { ...message, bucket, etag: unquoted(message.etag), requestedAt: moment(message.requestedAt) };
}
