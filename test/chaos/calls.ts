/** The calls of a function on their way through the sandbox, and what hit them. */
import type { Faults, ObservedCall } from '../../sandbox/index.ts';
import type { Injected } from './injected.ts';

export interface Call {
  /** Milliseconds since the epoch: when it was over. */
  at: number;
  service: string;
  operation: string;
  status: number | null;
  /** What hit it: `error SlowDown`, `kill after` … */
  faults: string[];
  /** Of S3. */
  key?: string;
}

/** From now on. */
export function watchCalls(faults: Faults, functionName: string): Call[] {
  const calls: Call[] = [];
  faults.observe((observed) => {
    if (observed.phase === 'before' || observed.caller !== functionName) return;
    const { service, operation, status } = observed;
    const key = service === 's3' ? keyOf(observed) : '';
    calls.push({ at: Date.now(), service, operation, status, faults: observed.faults.map(describe), ...(key === '' ? {} : { key }) });
  });
  return calls;
}

/** Calls that were hit, and those that S3 failed since KMS was hit inside of it. */
export function injectedIn(calls: Call[]): Injected[] {
  return calls.flatMap(({ at, service, operation, status, faults, key }) => {
    const failed = faults.length === 0 && status !== null && status >= 500 ? [`error ${status} within`] : [];
    return [...faults, ...failed].map((fault) => ({ at, service, operation, fault, ...(key === undefined ? {} : { key }) }));
  });
}

function describe(fault: ObservedCall['faults'][number]): string {
  const { kind, ...rest } = fault;
  const told = 'code' in rest ? rest.code : Object.values(rest)[0];
  return [kind, ...(kind === 'slow' || told === undefined ? [] : [String(told)])].join(' ');
}

/** Behind the bucket. */
function keyOf({ path }: ObservedCall): string {
  return decodeURIComponent(path.split('/').slice(2).join('/'));
}
