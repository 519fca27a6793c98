/** What people and scripts read of a redrive. */
import { styleText } from 'node:util';
import { missed, type Reading } from '../dead-letters/read-through.ts';
import type { Stack } from '../stack.ts';
import { shown, table } from '../terminal.ts';
import type { Followed } from './follow.ts';
import type { Settled } from './send-back.ts';

/** Of the JSON document: raised when a member changes its meaning. */
const VERSION = 1;
const MAX_SHOWN = 10;

export interface Redrive {
  stack: Stack;
  dryRun: boolean;
  reading: Reading;
  /** Messages that were not asked for. */
  others: number;
  settled: readonly Settled[];
  followed: readonly Followed[];
  /** What kept the rest from being sent or followed. */
  troubles: readonly Error[];
}

/** Objects of one code; a text without an object counts as one that is not followed. */
interface Row {
  code: string;
  sentBack: number;
  encrypted: number;
  failedAgain: number;
  underWay: number;
  notFollowed: number;
  superseded: number;
  notSent: number;
}

export function isWell({ reading, settled, followed, troubles }: Redrive): boolean {
  const kept = settled.some(({ fate }) => fate === 'refused' || fate === 'untouched');
  return !kept && troubles.length === 0 && missed(reading) === null && followed.every(({ fate }) => fate.kind === 'encrypted');
}

export function jsonReport(redrive: Redrive): string {
  const { stack, dryRun, reading, others, followed } = redrive;
  return JSON.stringify(
    {
      version: VERSION,
      ok: isWell(redrive),
      stack: { name: stack.name, region: stack.region, account: stack.account },
      dryRun,
      seen: reading.seen,
      complete: missed(reading) === null,
      others,
      troubles: redrive.troubles.map(({ message }) => message),
      codes: rowsOf(redrive),
      failedAgain: followed.flatMap(({ ref: { bucket, key }, code: before, fate }) => {
        if (fate.kind !== 'failed') return [];
        const { code, cause, nextStep } = fate;
        return [{ bucket, key, before, code, cause, nextStep }];
      }),
      underWay: followed.filter(isUnderWay).map(({ ref: { bucket, key }, code }) => ({ bucket, key, before: code })),
    },
    null,
    2,
  );
}

/** The same document for what could not be looked at. */
export function jsonFailure(message: string): string {
  return JSON.stringify({ version: VERSION, ok: false, error: message, codes: [], failedAgain: [], underWay: [] }, null, 2);
}

export function textReport(redrive: Redrive): string {
  const { stack, reading, others, followed } = redrive;
  const rows = rowsOf(redrive);
  const gap = missed(reading);
  const underWay = followed.filter(isUnderWay);
  return [
    `${styleText('bold', stack.name)}, ${stack.region}, account ${stack.account}`,
    rows.length === 0 ? 'There was nothing to send back.' : summary(rows, redrive.dryRun),
    ...failuresOf(followed),
    ...(underWay.length === 0
      ? []
      : [`Still under way: ${listed(underWay)}. They go on by themselves; npx sealdrop failures tells if they fail.`]),
    ...(rows.some(({ notSent }) => notSent > 0) ? ['What was not sent is among the dead letters as before.'] : []),
    ...(others === 0 ? [] : [`${others} other dead ${others === 1 ? 'letter stays' : 'letters stay'}.`]),
    ...redrive.troubles.map(({ message }) => styleText('yellow', `It did not come to its end: ${message}`)),
    ...(gap === null ? [] : [styleText('yellow', `${gap} Run it again for those.`)]),
  ].join('\n\n');
}

/** Columns without a number are left out. */
function summary(rows: Row[], dryRun: boolean): string {
  const columns: [title: string, value: (row: Row) => number][] = [
    [dryRun ? 'would be sent back' : 'sent back', ({ sentBack }) => sentBack],
    ['encrypted', ({ encrypted }) => encrypted],
    ['failed again', ({ failedAgain }) => failedAgain],
    ['under way', ({ underWay }) => underWay],
    ['not followed', ({ notFollowed }) => notFollowed],
    [dryRun ? 'superseded, would be dropped' : 'superseded, dropped', ({ superseded }) => superseded],
    ['not sent', ({ notSent }) => notSent],
  ];
  const used = columns.filter(([, value], index) => index === 0 || rows.some((row) => value(row) > 0));
  return table(
    ['code', ...used.map(([title]) => title)],
    rows.map((row) => [row.code, ...used.map(([, value]) => String(value(row)))]),
  );
}

function rowsOf({ settled, followed, dryRun }: Redrive): Row[] {
  const rows = new Map<string, Row>();
  const rowOf = (code: string) => {
    const none = { sentBack: 0, encrypted: 0, failedAgain: 0, underWay: 0, notFollowed: 0, superseded: 0, notSent: 0 };
    const row = rows.get(code) ?? { code, ...none };
    rows.set(code, row);
    return row;
  };
  for (const { task, fate } of settled) {
    const row = rowOf(task.code);
    const objects = Math.max(1, task.refs.length);
    switch (fate) {
      case 'sent':
        row.sentBack += objects;
        if (task.refs.length === 0 && !dryRun) row.notFollowed += 1;
        break;
      case 'superseded':
        row.superseded += objects;
        break;
      case 'refused':
      case 'untouched':
        row.notSent += objects;
        break;
      default:
        fate satisfies never;
    }
  }
  for (const { code, fate } of followed) {
    const row = rowOf(code);
    switch (fate.kind) {
      case 'encrypted':
        row.encrypted += 1;
        break;
      case 'failed':
        row.failedAgain += 1;
        break;
      case 'under way':
        row.underWay += 1;
        break;
      default:
        fate satisfies never;
    }
  }
  return [...rows.values()].sort((a, b) => a.code.localeCompare(b.code));
}

/** By cause, as they failed this time. */
function failuresOf(followed: readonly Followed[]): string[] {
  const failed = followed.flatMap(({ ref, fate }) => (fate.kind === 'failed' ? [{ ref, fate }] : []));
  return [...new Set(failed.map(({ fate }) => fate.code))].sort().map((code) => {
    const alike = failed.filter(({ fate }) => fate.code === code);
    const { cause = '', nextStep = '' } = alike[0]?.fate ?? {};
    return [
      `${styleText('red', '✗')} failed again for ${styleText('bold', code)}: ${listed(alike)}`,
      `  ${shown(cause)}`,
      `  → ${shown(nextStep)}`,
    ].join('\n');
  });
}

function listed(objects: readonly { ref: { key: string } }[]): string {
  const keys = objects.slice(0, MAX_SHOWN).map(({ ref }) => shown(ref.key));
  return objects.length > MAX_SHOWN ? `${keys.join(', ')} and ${objects.length - MAX_SHOWN} more` : keys.join(', ');
}

function isUnderWay({ fate }: Followed): boolean {
  return fate.kind === 'under way';
}
