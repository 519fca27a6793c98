/** What is asked of an object, with what, and what can come of it. */
import type { RangeReads } from './audit/range-reads.ts';
import type { AuditTrail } from './audit/trail.ts';
import type { TransitOrder } from './events/index.ts';
import type { DeliveryLimits } from './http/delivery.ts';
import type { ObjectRequest } from './http/object-request.ts';
import type { Caller } from './http/request.ts';
import type { Metrics } from './metrics.ts';
import type { Log } from './observability.ts';
import type { Presign } from './presigned-url.ts';
import type { OpenedObject, ReadDeps } from './read-object.ts';
import type { TransitRequests } from './transit-requests.ts';

export interface OpenDeps extends ReadDeps {
  presign: Presign;
  /** `null`: policy.yml allows no copies for downloads, and the stack can make none. */
  transit: TransitRequests | null;
  limits: DeliveryLimits;
  trail: AuditTrail;
  rangeReads: RangeReads;
  metrics: Metrics;
  log: Log;
}

export interface OpenRequest extends ObjectRequest {
  caller: Caller;
  requestId: string;
  /** The only state that may be served; of any other there is no such object. With quotes. */
  etag?: string;
  /** ISO 8601: no URL may live longer. */
  until?: string;
  /** Who asks is nobody in particular: what comes of it without a byte is one event for five minutes. */
  sparse?: boolean;
}

export type Opened =
  /** To be streamed, whole or by the range that it says; without a body for `inspect`. */
  | { kind: 'object'; object: OpenedObject }
  /** The caller has it already. */
  | { kind: 'not-modified'; object: OpenedObject }
  /** S3 serves it, until `expires` (ISO 8601). */
  | { kind: 'redirect'; object: OpenedObject; url: string; expires: string }
  /** S3 will serve a copy of it, which is being ordered. */
  | { kind: 'preparing'; object: OpenedObject; order: TransitOrder; retryAfterSeconds: number }
  /** The range begins behind the object's end; `size` in bytes. */
  | { kind: 'unsatisfiable'; size: number };
