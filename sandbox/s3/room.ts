/** What the operations of S3 work with. */
import type { ServerResponse } from 'node:http';
import type { NotificationSink, WireRequest } from '../service.ts';
import type { State } from '../state.ts';
import type { Encryption } from './encryption/index.ts';
import type { Limits } from './limits.ts';
import type { Blobs } from './store/blobs.ts';
import type { Buckets } from './store/buckets.ts';
import type { Listing } from './store/listing.ts';
import type { Objects } from './store/objects.ts';
import type { Sequence } from './store/schema.ts';
import type { Segments } from './store/segments.ts';
import type { Uploads } from './store/uploads.ts';
import type { Versions } from './store/versions.ts';

export interface Room {
  transaction: State['transaction'];
  limits: Limits;
  encryption: Encryption;
  buckets: Buckets;
  objects: Objects;
  versions: Versions;
  segments: Segments;
  uploads: Uploads;
  listing: Listing;
  sequence: Sequence;
  blobs: Blobs;
  notify: NotificationSink;
}

/** One request, already known to be for `bucket` and `key` (empty when the operation has none). */
export interface Call {
  room: Room;
  request: WireRequest;
  response: ServerResponse;
  /** IAM action of the operation. */
  action: string;
  bucket: string;
  key: string;
}

export type Handler = (call: Call) => Promise<void> | void;

/** The ARN that errors and events name; S3 knows callers without a signature as anonymous. */
export function callerArn({ request }: Call): string {
  return request.principal?.arn ?? 'anonymous';
}
