/** One thing that happened to an object. */
import type { EncryptionDescription } from '../encryption/index.ts';
import type { ErrorCode } from '../errors.ts';

export type AuditAction =
  | 'ObjectEncrypted'
  | 'EncryptionFailed'
  /** The source version of an encrypted object is gone from the ingest bucket, as policy.yml says; or could not be deleted. */
  | 'SourceDeleted'
  | 'SourceDeletionFailed'
  /** A GET through the API: recorded before its first byte. */
  | 'ObjectDownloaded'
  /** A HEAD through the API: what is known of an object, without its bytes. */
  | 'ObjectInspected'
  /** Somebody else wrote into the target bucket. */
  | 'ObjectWritten'
  /** A version or an object of the target bucket is gone, or hidden by a delete marker. */
  | 'ObjectDeleted'
  /** What somebody else wrote is not encrypted as policy.yml says. */
  | 'DriftFound'
  | 'DownloadDenied'
  | 'ListDenied'
  | 'HistoryDenied';

export interface AuditEvent {
  action: AuditAction;
  outcome: 'success' | 'failure' | 'denied';
  /** The target bucket, and the key there; a denied listing has its prefix. */
  bucket: string;
  key: string;
  /** Who did it: `function/encrypt`, the subject of the caller's token, or whoever S3 says reached the target bucket past us. */
  actor: string;
  /** From where, as S3 names it. */
  sourceIpAddress?: string;
  /** Who dropped the source, as S3 names them. */
  requester?: string;
  /** ISO 8601. Of an object's encryption: when its source was stored. */
  at: string;
  /** ISO 8601: when this event was written. */
  recordedAt: string;
  /** Makes repetitions of one event the same event: the sequencer of the source or of the target's event, or the request's own id. */
  uniqueId: string;
  correlationId: string;
  encryption?: EncryptionDescription;
  versionId?: string;
  sourceVersionId?: string;
  /** Bytes. */
  size?: number;
  code?: ErrorCode;
  detail?: string;
}

/** Position in an object's history: by time, and the same for every repetition of one event. */
export function eventSortKey(event: AuditEvent): string {
  return `${event.at}#${event.action}#${event.uniqueId}`;
}
