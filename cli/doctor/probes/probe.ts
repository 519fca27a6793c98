/** What probes are told, and what they tell. */
import { SealdropError } from '../../../src/errors.ts';
import type { Finding } from '../finding.ts';

export interface ProbeOptions {
  /** How long an object may take from the ingest bucket to its record. */
  timeoutMs: number;
  /** Where and as whom the API is asked; `null`: it is not. */
  api: { url: string; token: string } | null;
  /** Gives up waiting; what was dropped is removed all the same. */
  signal: AbortSignal;
}

/** One encryption of the policy that was tried. */
export interface Proof {
  /** As the policy says it. */
  encryption: string;
  /** Of the object that was dropped. */
  key: string;
  /** From the drop to the record; `null`: it did not arrive as it should. */
  ms: number | null;
  /** Whether it came back through the API, byte for byte. */
  downloaded: boolean;
}

export interface ProbeResult {
  proofs: Proof[];
  findings: Finding[];
}

/** What was tried beside the round trips. */
export interface Tried {
  findings: Finding[];
  /** What was tried and held, in words. */
  held: string[];
  skipped: string[];
}

/** What AWS said, below what the product makes of it. */
export function awsCause(cause: unknown): unknown {
  return cause instanceof SealdropError && cause.cause !== undefined ? cause.cause : cause;
}
