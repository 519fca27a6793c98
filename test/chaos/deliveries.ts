/** What the queue handed to a function, and what became of it: the other side of what the function says of itself. */
import type { Functions } from '../../sandbox/lambda/index.ts';

/** A source as an event or a continuation names it. */
export interface NamedSource {
  key: string;
  versionId: string;
  sequencer: string;
}

export interface Delivery {
  messageId: string;
  receiptHandle: string;
  /** 1 at the first. */
  receiveCount: number;
  kind: 'event' | 'continuation' | 'other';
  sources: NamedSource[];
  invocation: Invocation;
}

export interface Invocation {
  number: number;
  /** Milliseconds since the epoch. */
  begun: number;
  ended: number | null;
  /** The function died or failed as a whole. */
  failed: boolean;
  /** Ids of messages that the function gave back. */
  retried: Set<string>;
  deliveries: Delivery[];
}

export type Fate = 'under way' | 'acknowledged' | 'given back' | 'died';

/** From now on, until the sandbox stops. */
export function watchDeliveries(functions: Functions, functionName: string): Invocation[] {
  const invocations: Invocation[] = [];
  const invoke = functions.invoke.bind(functions);
  functions.invoke = async (name, event) => {
    if (name !== functionName && !name.endsWith(`:${functionName}`)) return invoke(name, event);
    const invocation: Invocation = {
      number: invocations.length,
      begun: Date.now(),
      ended: null,
      failed: false,
      retried: new Set(),
      deliveries: [],
    };
    invocation.deliveries = deliveriesIn(event, invocation);
    invocations.push(invocation);
    const result = await invoke(name, event);
    invocation.ended = Date.now();
    invocation.failed = result.functionError !== null;
    if (!invocation.failed) invocation.retried = new Set(givenBack(result.payload.toString('utf8')));
    return result;
  };
  return invocations;
}

export function fateOf({ messageId, invocation }: Delivery): Fate {
  if (invocation.ended === null) return 'under way';
  if (invocation.failed) return 'died';
  return invocation.retried.has(messageId) ? 'given back' : 'acknowledged';
}

/** Sources that a message's text names; none where it is no event. */
export function sourcesIn(body: string): { kind: Delivery['kind']; sources: NamedSource[] } {
  const document = parse(body);
  if (document?.sealdrop !== undefined && document.object !== undefined) {
    const { key, versionId = '', sequencer } = document.object;
    return { kind: 'continuation', sources: [{ key, versionId, sequencer }] };
  }
  const sources = (document?.Records ?? []).flatMap(({ s3 }) =>
    s3 === undefined ? [] : [{ key: formDecode(s3.object.key), versionId: s3.object.versionId ?? '', sequencer: s3.object.sequencer }],
  );
  return { kind: sources.length > 0 ? 'event' : 'other', sources };
}

interface Document {
  sealdrop?: string;
  object?: { key: string; versionId?: string; sequencer: string };
  Records?: { s3?: { object: { key: string; versionId?: string; sequencer: string } } }[];
}

function parse(body: string): Document | null {
  try {
    return JSON.parse(body) as Document;
  } catch {
    return null;
  }
}

interface QueueEvent {
  Records: { messageId: string; receiptHandle: string; body: string; attributes: { ApproximateReceiveCount: string } }[];
}

function deliveriesIn(event: string, invocation: Invocation): Delivery[] {
  return (JSON.parse(event) as QueueEvent).Records.map(({ messageId, receiptHandle, body, attributes }) => ({
    messageId,
    receiptHandle,
    receiveCount: Number(attributes.ApproximateReceiveCount),
    ...sourcesIn(body),
    invocation,
  }));
}

function givenBack(payload: string): string[] {
  const { batchItemFailures = [] } = JSON.parse(payload) as { batchItemFailures?: { itemIdentifier: string }[] };
  return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
}

function formDecode(key: string): string {
  return decodeURIComponent(key.replaceAll('+', ' '));
}
