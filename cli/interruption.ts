/** Signals that end a command: it tidies up first, and then ends as a shell expects. */

/** 128 and the signal's number. */
const CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

export interface Interruption {
  /** Aborted by the first signal. */
  signal: AbortSignal;
  /** The exit code; `null`: nobody interrupted. */
  code: number | null;
  /** Signals do again what they always do. */
  forget(): void;
}

/** However often it is told to stop: whoever asked for this tidies up first. */
export function untilInterrupted(): Interruption {
  const abort = new AbortController();
  const interruption: Interruption = { signal: abort.signal, code: null, forget: () => {} };
  const listeners = Object.entries(CODES).map(([signal, code]) => {
    const stop = () => {
      interruption.code = code;
      abort.abort();
    };
    process.on(signal, stop);
    return () => process.off(signal, stop);
  });
  interruption.forget = () => {
    for (const forget of listeners) forget();
  };
  return interruption;
}
