/** What a run did to the functions: the causes that a dead letter may truly have. */
import type { Invocation } from './deliveries.ts';

/** One fault that fired. */
export interface Injected {
  /** Milliseconds since the epoch. */
  at: number;
  service: string;
  operation: string;
  /** As the fault plan names it: `error SlowDown`, `reset after`, `kill before` … */
  fault: string;
  /** Of S3: which object the call was about. */
  key?: string;
}

/** While a KMS key was disabled, by its id. */
export interface KeyOutage {
  keyId: string;
  from: number;
  until: number;
}

export interface Troubles {
  injected: Injected[];
  outages: KeyOutage[];
  /** Milliseconds after which an invocation begins nothing long any more. */
  stopsAfterMs: number;
}

/** Faults that may have hit what an invocation did for a key: calls about other objects are none of its business. */
export function troublesOf({ begun, ended }: Invocation, key: string, { injected }: Troubles): Injected[] {
  return injected.filter(
    (one) => one.at >= begun && one.at <= (ended ?? Number.POSITIVE_INFINITY) && (one.key === undefined || one.key === key),
  );
}
