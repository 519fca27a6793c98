/** What the encrypt function's queue would bring for objects that were dropped. */
import { type EventMessage, type ObjectRef, parseIngestEvent } from '../src/events/index.ts';

export interface DroppedObject {
  bucket: string;
  key: string;
  /** Bytes. */
  size: number;
  /** Without quotes. */
  etag: string;
  /** Orders the states of one key; from 1. */
  order: number;
}

/** One message for each. */
export function ingestMessages(objects: DroppedObject[]): EventMessage<ObjectRef>[] {
  return parseIngestEvent({ Records: objects.map(queueRecord) });
}

function queueRecord({ bucket, key, size, etag, order }: DroppedObject, index: number) {
  const record = {
    eventVersion: '2.1',
    eventSource: 'aws:s3',
    eventName: 'ObjectCreated:Put',
    eventTime: '2026-01-01T00:00:00.000Z',
    s3: { bucket: { name: bucket }, object: { key, size, eTag: etag, sequencer: order.toString(16).padStart(16, '0') } },
  };
  return { eventSource: 'aws:sqs', messageId: String(index), receiptHandle: 'none', body: JSON.stringify({ Records: [record] }) };
}
