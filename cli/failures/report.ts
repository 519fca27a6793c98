/** What people and scripts read of failures. */
import { styleText } from 'node:util';
import { missed, type Reading } from '../dead-letters/read-through.ts';
import type { Stack } from '../stack.ts';
import { shown } from '../terminal.ts';
import type { FailuresArguments, QueueName } from './arguments.ts';
import type { Group, Groups } from './groups.ts';

/** Of the JSON document: raised when a member changes its meaning. */
const VERSION = 1;

const WHAT: Record<QueueName, string> = {
  ingest: 'files could not be encrypted',
  'target-events': 'events of the target bucket could not be audited',
  transit: 'copies for downloads could not be made or deleted',
};

export interface Failures {
  asked: FailuresArguments;
  stack: Stack;
  groups: Groups;
  reading: Reading;
}

export function jsonReport({ asked, stack, groups, reading }: Failures): string {
  const list = groups.list();
  return JSON.stringify(
    {
      version: VERSION,
      ok: list.length === 0 && missed(reading) === null,
      stack: { name: stack.name, region: stack.region, account: stack.account },
      queue: asked.queue,
      seen: reading.seen,
      doubles: groups.doubles(),
      counted: reading.waiting,
      hidden: reading.hidden,
      complete: missed(reading) === null,
      failures: list.map(({ code, count, oldestMs, newestMs, causes, nextStep, objects }) => ({
        code,
        count,
        oldest: iso(oldestMs),
        newest: iso(newestMs),
        causes,
        nextStep,
        objects,
      })),
    },
    null,
    2,
  );
}

/** The same document for a queue that could not be looked at. */
export function jsonFailure(message: string): string {
  return JSON.stringify({ version: VERSION, ok: false, error: message, failures: [] }, null, 2);
}

export function textReport({ asked, stack, groups, reading }: Failures): string {
  const list = groups.list();
  const total = list.reduce((sum, { count }) => sum + count, 0);
  const doubles = groups.doubles() === 0 ? '' : ` (and ${groups.doubles()} doubles)`;
  const found = total === 0 ? 'No dead letters.' : `${total} dead ${total === 1 ? 'letter' : 'letters'}${doubles}: ${WHAT[asked.queue]}.`;
  const gap = missed(reading);
  return [
    `${styleText('bold', stack.name)}, ${stack.region}, account ${stack.account}`,
    found,
    ...list.map((group) => groupText(group, asked.queue)),
    ...(gap === null ? [] : [styleText('yellow', gap)]),
    ...(total > 0 && asked.queue === 'ingest' ? ['Once a cause is gone: npx sealdrop redrive --code CODE'] : []),
  ].join('\n\n');
}

function groupText({ code, count, oldestMs, newestMs, objects, causes, nextStep }: Group, queue: QueueName): string {
  const times = oldestMs === newestMs ? iso(oldestMs) : `${iso(oldestMs)} to ${iso(newestMs)}`;
  const more = count > objects.length && objects.length > 0 ? ', …' : '';
  const keys = objects.map(({ key }) => shown(key)).join(', ') + more;
  return [
    `${styleText('bold', code)}  ${count}  ${styleText('dim', times)}`,
    ...(keys === '' ? [] : [`  ${queue === 'ingest' ? 'files' : 'objects'}: ${keys}`]),
    ...causes.map((cause) => `  ${shown(cause)}`),
    ...(nextStep === '' ? [] : [`  → ${shown(nextStep)}`]),
  ].join('\n');
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
