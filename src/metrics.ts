/**
 * Metrics by CloudWatch's embedded metric format: a log line that CloudWatch reads figures from, so that counting costs no call.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
import { deniedCall } from './denied-call.ts';
import type { EncryptionMode } from './encryption/encryption.ts';
import type { ErrorCode, SealdropError } from './errors.ts';

const NAMESPACE = 'Sealdrop';

/** The format's own limit for one metric of one line. */
const MAX_VALUES = 100;

const UNITS = {
  ObjectsEncrypted: 'Count',
  BytesEncrypted: 'Bytes',
  /** From the moment when S3 stored the source to that when its copy is recorded. */
  EncryptLatency: 'Milliseconds',
  /** Events of a state that is encrypted already, or of an older one. */
  EventsSkipped: 'Count',
  /** Copies that took longer than one function. */
  CopiesContinued: 'Count',
  /** Every failed try, also one that a retry heals. */
  Failures: 'Count',
  DeniedKmsCalls: 'Count',
  ForeignWrites: 'Count',
  ForeignDeletes: 'Count',
  DriftFound: 'Count',
  ObjectsDownloaded: 'Count',
  BytesDownloaded: 'Bytes',
  /** Until the first byte may flow: the object is open and the read is recorded. */
  DownloadLatency: 'Milliseconds',
} as const;

export type MetricName = keyof typeof UNITS;

/** What a metric is counted by, beside the stack as a whole. Never an object's name: each value is a metric of its own. */
export interface MetricDimensions {
  mode?: EncryptionMode | undefined;
  code?: ErrorCode | undefined;
}

export interface Metrics {
  /** Adds to the stack's figure and to that of each dimension given. */
  add(name: MetricName, value: number, by?: MetricDimensions): void;
  /** Writes what was added since the last time: one line for the stack and one for each dimension's value. Once an invocation. */
  flush(): void;
}

interface DimensionSet {
  dimensions: Record<string, string>;
  values: Map<MetricName, number[]>;
}

/** @param write takes one line of the function's log as it is, without anything before it */
export function createMetrics(deps: { stack: string; write: (line: string) => void; now?: () => number }): Metrics {
  const { stack, write, now = Date.now } = deps;
  let sets = new Map<string, DimensionSet>();

  function keep(name: MetricName, value: number, dimensions: Record<string, string>): void {
    const id = JSON.stringify(dimensions);
    const set = sets.get(id) ?? { dimensions, values: new Map() };
    sets.set(id, set);
    const values = set.values.get(name) ?? [];
    // Counts and bytes add up; a latency is one of a distribution.
    set.values.set(name, UNITS[name] === 'Milliseconds' ? [...values, value] : [(values[0] ?? 0) + value]);
  }

  return {
    add(name, value, by = {}) {
      keep(name, value, { stack });
      for (const [dimension, called] of Object.entries(by)) {
        if (called !== undefined) keep(name, value, { stack, [dimension]: called });
      }
    },
    flush() {
      const written = sets;
      sets = new Map();
      for (const set of written.values()) for (const line of linesOf(set, now())) write(line);
    },
  };
}

/** A failure by its code, and by its mode where that is known; and whether KMS refused a key to us. */
export function countFailure(metrics: Metrics, error: SealdropError, mode?: EncryptionMode): void {
  metrics.add('Failures', 1, { code: error.code, mode });
  if (error.code.startsWith('kms-key-') || deniedCall(error.message)?.action.startsWith('kms:')) metrics.add('DeniedKmsCalls', 1);
}

function linesOf({ dimensions, values }: DimensionSet, Timestamp: number): string[] {
  const lines = Math.ceil(Math.max(...[...values.values()].map(({ length }) => length)) / MAX_VALUES);
  return Array.from({ length: lines }, (_, line) => {
    const here = [...values].flatMap(([name, all]): [MetricName, number[]][] => {
      const some = all.slice(line * MAX_VALUES, (line + 1) * MAX_VALUES);
      return some.length === 0 ? [] : [[name, some]];
    });
    const Metrics = here.map(([Name]) => ({ Name, Unit: UNITS[Name] }));
    const directive = { Namespace: NAMESPACE, Dimensions: [Object.keys(dimensions)], Metrics };
    const figures = Object.fromEntries(here.map(([name, some]) => [name, some.length === 1 ? some[0] : some]));
    return JSON.stringify({ _aws: { Timestamp, CloudWatchMetrics: [directive] }, ...dimensions, ...figures });
  });
}
