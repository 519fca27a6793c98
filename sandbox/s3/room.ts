/** What the operations of S3 work with. */
import type { ServerResponse } from 'node:http';
import type { Judge } from '../iam/judge.ts';
import type { KeyCaller, NotificationSink, Principal, WireRequest } from '../service.ts';
import type { State } from '../state.ts';
import type { Encryption } from './encryption/index.ts';
import type { Limits } from './limits.ts';
import type { Blobs } from './store/blobs.ts';
import type { Buckets } from './store/buckets.ts';
import type { CompletedUploads } from './store/completed-uploads.ts';
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
  completedUploads: CompletedUploads;
  listing: Listing;
  sequence: Sequence;
  blobs: Blobs;
  notify: NotificationSink;
  judge: Judge;
  /** Whether a user or role of this account is there, by ARN. */
  principalExists(arn: string): boolean;
}

/** One request, already known to be for `bucket` and `key` (empty when the operation has none). */
export interface Call {
  room: Room;
  request: WireRequest;
  response: ServerResponse;
  /** Who signed it. */
  principal: Principal;
  bucket: string;
  key: string;
}

export type Handler = (call: Call) => Promise<void> | void;

/** For whom S3 asks KMS: the caller's own rights to the key are what counts. */
export function keyCaller({ principal }: Call): KeyCaller {
  return { principal, viaService: 's3' };
}
