/** Any accepted event → what it is about. Pure. */
import { parseContinuation } from './continuation.ts';
import { parseEventBridge } from './eventbridge.ts';
import { type EventMessage, parseMessages } from './messages.ts';
import type { ObjectRef } from './object-ref.ts';
import { parseS3Record } from './s3-notification.ts';
import { parseTargetRecord, type TargetEvent } from './target-event.ts';

export { type CopyProgress, continuationBody } from './continuation.ts';
export type { EventMessage, QueueReceipt } from './messages.ts';
export { compareSequencers, decodeFormKey, type ObjectRef } from './object-ref.ts';
export type { ObjectDeleted, ObjectWritten, TargetEvent } from './target-event.ts';
export {
  parseTransitEvent,
  type TransitDeletion,
  type TransitMessage,
  type TransitOrder,
  transitDeletionBody,
  transitOrderBody,
} from './transit.ts';

/**
 * What was dropped into the ingest bucket: S3 notifications in SQS, straight from S3, wrapped by SNS, and EventBridge's
 * "Object Created", each of them also inside SQS; and what is left of a copy that took longer than its function. Never throws.
 */
export function parseIngestEvent(event: unknown): EventMessage<ObjectRef>[] {
  return parseMessages(event, { s3Record: parseS3Record, eventBridge: parseEventBridge, continuation: parseContinuation });
}

/** What happened to objects of the target bucket: S3 notifications in SQS, straight from S3 or wrapped by SNS. Never throws. */
export function parseTargetEvents(event: unknown): EventMessage<TargetEvent>[] {
  return parseMessages(event, { s3Record: parseTargetRecord });
}
