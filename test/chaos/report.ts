/** What a run says at its end: for people at a glance, or as JSON. */
import { styleText } from 'node:util';
import { formatSeconds, table } from '../../cli/terminal.ts';
import type { FaultReport } from '../../sandbox/index.ts';
import type { Check } from './checking.ts';
import { fateOf, type Invocation } from './deliveries.ts';
import type { KeyFate } from './fates.ts';
import type { Troubles } from './injected.ts';

const SHOWN_COMPLAINTS = 5;
const SHOWN_CALLS = 12;
const SHOWN_OPERATIONS = 3;

export interface Run {
  seed: number;
  objects: number;
  states: number;
  bytes: number;
  /** Milliseconds of dropping, draining, checking. */
  times: { drop: number; drain: number; check: number };
  fates: KeyFate[];
  invocations: Invocation[];
  troubles: Troubles;
  /** What functions printed. */
  logs: string[];
  /** What fired, by rule. */
  fired: FaultReport['rules'];
  checks: Check[];
  /** By key: what happened to it, in order. */
  traces: Map<string, string[]>;
}

interface Row {
  what: string;
  count: number;
  /** What it is made up of. */
  of?: [operation: string, count: number][];
}

export function passed({ checks }: Run): boolean {
  return checks.every(({ complaints }) => complaints.length === 0);
}

export function toText(run: Run): string {
  const { seed, objects, states, bytes, times, checks } = run;
  const megabytes = (bytes / 1_000_000).toFixed(0);
  const parts = [
    `Chaos, seed ${seed}: ${objects} objects in ${states} states, ${megabytes} MB; dropped in ${formatSeconds(times.drop)}, settled in ${formatSeconds(times.drain)}, checked in ${formatSeconds(times.check)}`,
    section('Injected', 'fault', injectedRows(run)),
    section('Delivered', 'deliveries of messages', deliveredRows(run)),
    section('Retried', 'causes, as the function says', retriedRows(run)),
    section('Ended', 'states', endedRows(run)),
    checks.map((check) => checkLines(check, run)).join('\n'),
    passed(run)
      ? styleText('green', 'Nothing lost, nothing doubled, the last write won.')
      : styleText('red', `Not as promised. Again: npm run chaos -- --objects ${objects} --seed ${seed} --keep`),
  ];
  return parts.join('\n\n');
}

export function toJson(run: Run): string {
  const { seed, objects, states, bytes, times, checks, traces } = run;
  const told = checks.map((check) => ({
    ...check,
    complaints: check.complaints.map((complaint) => ({ ...complaint, calls: traces.get(complaint.key) ?? [] })),
  }));
  return JSON.stringify(
    {
      seed,
      objects,
      states,
      bytes,
      times,
      passed: passed(run),
      injected: injectedRows(run),
      delivered: deliveredRows(run),
      retried: retriedRows(run),
      ended: endedRows(run),
      checks: told,
    },
    null,
    2,
  );
}

function section(title: string, what: string, rows: Row[]): string {
  return table(
    [`${title}: ${what}`, '', ''],
    rows.map((row) => [row.what, String(row.count), inBrief(row.of ?? [])]),
  );
}

/** The most frequent first, so that a line fits a terminal; the JSON has all. */
function inBrief(of: [operation: string, count: number][]): string {
  const shown = [...of].sort(([, a], [, b]) => b - a).slice(0, SHOWN_OPERATIONS);
  const more = of.length > shown.length ? [`${of.length - shown.length} more`] : [];
  return [...shown.map(([operation, count]) => `${operation} ${count}`), ...more].join(', ');
}

function injectedRows({ fired, troubles }: Run): Row[] {
  const rows = fired.flatMap(({ id, fired: count, operations }) => {
    const of = Object.entries(operations).flatMap(([operation, { fired }]): [string, number][] => (fired > 0 ? [[operation, fired]] : []));
    return count > 0 ? [{ what: id, count, of }] : [];
  });
  return [...rows, ...counted(troubles.outages.map(() => 'a KMS key disabled for a while'))];
}

function deliveredRows({ invocations }: Run): Row[] {
  const deliveries = invocations.flatMap((invocation) => invocation.deliveries);
  const rows = counted(
    deliveries.map((delivery) => (delivery.kind === 'continuation' ? `${fateOf(delivery)}, a continuation` : fateOf(delivery))),
  );
  const again = deliveries.filter(({ receiveCount }) => receiveCount > 1).length;
  return [{ what: 'all', count: deliveries.length }, { what: 'not the first of their message', count: again }, ...rows];
}

function retriedRows({ logs }: Run): Row[] {
  return counted(logs.flatMap((text) => text.split('\n').flatMap((line) => retriedBy(line) ?? [])));
}

/** `null`: the line is of something else. */
function retriedBy(line: string): string | null {
  if (!line.includes('"not encrypted"') && !line.includes('"waiting"')) return null;
  try {
    const { message, code, retryable } = JSON.parse(line) as { message?: string; code?: string; retryable?: boolean };
    return retryable && code !== undefined && (message === 'not encrypted' || message === 'waiting') ? code : null;
  } catch {
    // The last words of somebody who was killed.
    return null;
  }
}

function endedRows({ fates }: Run): Row[] {
  const ends = fates.flatMap(({ states, newest }) =>
    states.flatMap((state) => {
      const [record, letter] = [state.records.at(-1), state.deadLetters[0]];
      if (record !== undefined) {
        const encrypted = `encrypted, ${record.encryption.mode}, ${record.proof === 'source-pinned' ? 'one call' : 'parts'}`;
        return letter === undefined ? [encrypted] : [encrypted, 'beside its record a dead letter, which redrive drops'];
      }
      if (letter !== undefined) return [`dead letter: ${letter.code ?? 'the function died over it'}`];
      return [newest !== null && states.indexOf(newest.state) > states.indexOf(state) ? 'superseded' : 'lost'];
    }),
  );
  return counted(ends);
}

function counted(names: string[]): Row[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([what, count]) => ({ what, count })).sort((a, b) => (a.what < b.what ? -1 : 1));
}

function checkLines({ title, looked, complaints }: Check, { traces }: Run): string {
  if (complaints.length === 0) return `${styleText('green', '✓')} ${title} ${styleText('dim', `(${looked})`)}`;
  const shown = complaints
    .slice(0, SHOWN_COMPLAINTS)
    .flatMap(({ key, expected, found }) => [
      `    ${JSON.stringify(key)}: expected ${expected}; found ${found}`,
      ...(traces.get(key) ?? []).slice(-SHOWN_CALLS).map((line) => `      ${line}`),
    ]);
  const more = complaints.length > SHOWN_COMPLAINTS ? [`    and ${complaints.length - SHOWN_COMPLAINTS} more`] : [];
  return [`${styleText('red', '✗')} ${title}: ${complaints.length} of ${looked}`, ...shown, ...more].join('\n');
}
