/** What a message of a dead-letter queue says. */
import { createHash } from 'node:crypto';
import type { Message } from '@aws-sdk/client-sqs';
import { type EventMessage, type ObjectRef, parseIngestEvent, parseTargetEvents, parseTransitEvent } from '../../src/events/index.ts';
import { isErrorCode, nextStepOf } from '../error-code.ts';

/** SQS itself moves what a function took too often without a word. */
const DIED = {
  code: 'unknown',
  cause: 'the function died over it; see its logs',
  nextStep: 'Look at the logs of the function at that time, remove the cause, then redrive.',
} as const;

export interface DeadLetter {
  messageId: string;
  receiptHandle: string;
  /** As it goes back to the queue that it came from. */
  body: string;
  /** Of `ERROR_CODES`, or what another release called it. */
  code: string;
  cause: string;
  nextStep: string;
  /** Milliseconds, by SQS's clock. */
  sentMs: number;
  objects: LetterObject[];
  /** For each object which state of it; without an object, the text's own. */
  states: string[];
  /** Doubles have the same. */
  identity: string;
  /** The text was too long, and its end is lost. */
  shortened: boolean;
}

export interface LetterObject {
  bucket: string;
  key: string;
}

/** @param refs what the text is about; there may be none */
export interface IngestLetter extends DeadLetter {
  refs: ObjectRef[];
}

export function readIngestLetter(message: Message): IngestLetter {
  const content = contentOf(message, parseIngestEvent);
  const refs = 'items' in content ? content.items : [];
  return { ...read(message, content, ({ sequencer }: ObjectRef) => sequencer), refs };
}

export function readTargetLetter(message: Message): DeadLetter {
  return read(message, contentOf(message, parseTargetEvents), ({ uniqueId }) => uniqueId);
}

/** @param bucket the target bucket, which these messages do not name */
export function readTransitLetter(bucket: string): (message: Message) => DeadLetter {
  return (message) =>
    read(
      message,
      contentOf(message, (event) => parseTransitEvent(event, bucket)),
      (item) => (item.kind === 'transit' ? item.etag : item.copy.etag),
    );
}

/** Short, and the same for every message about this state. */
export function stateOf({ bucket, key }: LetterObject, uniqueId: string): string {
  return digest(JSON.stringify([bucket, key, uniqueId.toUpperCase().replace(/^0+/, '')]));
}

function read<Item extends LetterObject>(
  message: Message,
  content: EventMessage<Item>['content'],
  uniqueIdOf: (item: Item) => string,
): DeadLetter {
  const { MessageId = '', ReceiptHandle = '', Body = '', Attributes, MessageAttributes = {} } = message;
  const said = (name: string) => MessageAttributes[name]?.StringValue;
  const items = 'items' in content ? content.items : [];
  const key = said('key');
  const named = key === undefined ? [] : [{ bucket: said('bucket') ?? '', key }];
  const objects = items.length === 0 ? named : items.map(({ bucket, key }) => ({ bucket, key }));
  const states = items.length === 0 ? [digest(Body)] : items.map((item) => stateOf(item, uniqueIdOf(item)));
  return {
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    ...causeOf(said, content),
    sentMs: Number(Attributes?.SentTimestamp ?? 0),
    objects,
    states,
    identity: states.toSorted().join(),
    shortened: said('shortenedFrom') !== undefined,
  };
}

/** The next step is this release's, where it knows the code: an old letter may name a way that is gone. */
function causeOf(said: (name: string) => string | undefined, content: EventMessage<unknown>['content']) {
  const code = said('code');
  if (code !== undefined) {
    return { code, cause: said('cause') ?? '', nextStep: isErrorCode(code) ? nextStepOf(code) : (said('nextStep') ?? '') };
  }
  if (!('error' in content)) return DIED;
  return { code: content.error.code, cause: content.error.message, nextStep: content.error.nextStep };
}

/** One text, read as the function reads it. */
function contentOf<Item>({ MessageId = '', ReceiptHandle = '', Body = '' }: Message, parse: (event: unknown) => EventMessage<Item>[]) {
  const record = { eventSource: 'aws:sqs', messageId: MessageId, receiptHandle: ReceiptHandle, body: Body };
  return parse({ Records: [record] })[0]?.content ?? { items: [] };
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64').slice(0, 22);
}
