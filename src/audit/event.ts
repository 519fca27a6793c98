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
  /** What was being served could not be served to its end, and the transfer was broken off: `ciphertext-invalid` before the first byte that was not as written. */
  | 'DownloadBroken'
  /** A GET through the API was answered with a URL of S3's: until `expires` whoever has it reads this version; S3 alone sees how often. */
  | 'DownloadAuthorised'
  /** A GET through the API was answered with "later": a copy that S3 can serve was asked for. */
  | 'TransitRequested'
  /** That copy is there, under the stack's KMS key and for a quarter of an hour. */
  | 'TransitCopied'
  /** And it is gone again. */
  | 'TransitDeleted'
  /** It could not be made, or not be deleted. */
  | 'TransitFailed'
  /** A HEAD through the API: what is known of an object, without its bytes. */
  | 'ObjectInspected'
  /** Somebody else wrote into the target bucket. */
  | 'ObjectWritten'
  /** A version or an object of the target bucket is gone, or hidden by a delete marker. */
  | 'ObjectDeleted'
  /** What somebody else wrote is not encrypted as policy.yml says. */
  | 'DriftFound'
  /** A share link to a version of an object was made, or is to open nothing any more. */
  | 'LinkCreated'
  | 'LinkRevoked'
  | 'DownloadDenied'
  | 'ShareDenied'
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
  /** Of what was read, where the target bucket has no versions. */
  etag?: string;
  sourceVersionId?: string;
  /** Bytes of the object. */
  size?: number;
  /** The id of a share link; who came by it has `link/ID` as actor. */
  link?: string;
  /** ISO 8601: when what was authorised ends. */
  expires?: string;
  /** Of a read by ranges: the five minutes in which all ranges of this caller and version are this one event. ISO 8601; `to` is exclusive. */
  window?: { from: string; to: string };
  /** Of a read by ranges: positions of the first range's first and last byte. */
  bytes?: string;
  code?: ErrorCode;
  detail?: string;
}

/** The five minutes in which a moment lies. @param at milliseconds */
export function readWindow(at: number): { from: string; to: string } {
  const from = at - (at % READ_WINDOW_MS);
  return { from: new Date(from).toISOString(), to: new Date(from + READ_WINDOW_MS).toISOString() };
}

const READ_WINDOW_MS = 5 * 60_000;

/**
 * Where a history from a moment on begins: a window stands at its beginning, though some of its reads came later.
 * @param from ISO 8601 in UTC, `Z` left out, or only the beginning of such a moment
 */
export function positionFrom(from: string): string {
  const at = Date.parse(from.includes('T') ? `${from}Z` : from);
  const position = Number.isNaN(at) ? from : readWindow(at).from.slice(0, from.length);
  // Days that no month has are read as later ones.
  return position < from ? position : from;
}

/** Whether it happened within a period, as texts compare. @param to '~' behind it makes it inclusive */
export function happenedWithin({ at, window }: AuditEvent, from: string, to: string): boolean {
  return (window?.to ?? at) >= from && at <= to;
}

/** Position in an object's history: by time, and the same for every repetition of one event. */
export function eventSortKey(event: AuditEvent): string {
  return `${event.window?.from ?? event.at}#${event.action}#${event.uniqueId}`;
}
