/** Whether the cause that a dead letter names was really there. */
import type { Delivery, Invocation } from './deliveries.ts';
import type { DeadLetter } from './evidence.ts';
import type { KeyFate, StateFate } from './fates.ts';
import { type Injected, type KeyOutage, type Troubles, troublesOf } from './injected.ts';
import { FLAKY_KEY_ID, keyArn, LOST_KEY_ID, type StoredAs } from './stored-as.ts';

/** Of the ingest queue. */
const MAX_RECEIVE_COUNT = 5;

/** Clocks of one machine, read before and after. */
const SLACK_MS = 50;

/** @returns what speaks against it; `null`: it is true */
export function disprove(letter: DeadLetter, fate: KeyFate, state: StateFate, wanted: StoredAs, troubles: Troubles): string | null {
  const { key } = fate.planned;
  const near = sentIn(letter, state).flatMap(({ invocation }) => troublesOf(invocation, key, troubles));
  const because = (holds: boolean, otherwise: string) => (holds ? null : otherwise);
  switch (letter.code) {
    case null:
      return because(diedAtLast(letter, state), 'the queue gave it up, though its last delivery did not die');
    case 'source-gone':
      return because(state.removed, 'its version was never removed');
    case 'kms-key-disabled':
      return because(wasDisabled(wanted, letter, state, troubles.outages), 'its key was enabled');
    case 'newer-under-way':
      return because(newerWasOpen(fate, state, letter), 'no newer state was open then');
    case 'answer-mismatch':
      return because(has(near, /^(ignore-encryption|wrong-checksum)/), 'every answer was honest');
    case 'customer-key-missing':
      return because(wanted.mode === 'sse-c' && has(near, /ResourceNotFound/), 'the secret was there');
    case 'wrapping-key-missing':
      return because(wanted.mode === 'cse-aes' && has(near, /ResourceNotFound/), 'the secret was there');
    case 'audit-unavailable':
      return because(has(near, /./, 'dynamodb'), 'the table was well');
    case 'throttled':
      return because(has(near, /SlowDown|Throttl|Throughput|RequestLimit|TooMany/), 'nothing throttled');
    case 'time-out':
      return because(
        has(near, /slow|reset/) || sentIn(letter, state).some(({ invocation }) => tookLong(invocation, troubles)),
        'nothing was slow',
      );
    case 'service-unavailable':
      return because(has(near, /error|reset|in-200/), 'every service was well');
    case 'conflict':
    case 'target-changed':
      return because(near.length > 0 || fate.states.length > 1, 'nobody else wrote it');
    default:
      return 'nothing in this run gives such a cause';
  }
}

function has(near: Injected[], fault: RegExp, service?: string): boolean {
  return near.some((one) => fault.test(one.fault) && (service === undefined || one.service === service));
}

/** The deliveries that may have made it a dead letter: an event that came twice may be worked on twice at a time. */
export function sentIn({ sentAt }: DeadLetter, { deliveries }: StateFate): Delivery[] {
  return deliveries.filter(
    ({ invocation: { begun, ended } }) => begun - SLACK_MS <= sentAt && sentAt <= (ended ?? Number.POSITIVE_INFINITY) + SLACK_MS,
  );
}

function tookLong({ begun, ended }: Invocation, { stopsAfterMs }: Troubles): boolean {
  return (ended ?? Number.POSITIVE_INFINITY) - begun >= stopsAfterMs;
}

/** Its last delivery ended with its function, or its answer came after the queue had given the message up. */
export function diedAtLast(letter: DeadLetter, { deliveries }: StateFate): boolean {
  const mine = deliveries.filter(({ messageId }) => messageId === letter.messageId);
  const last = mine.at(-1);
  return last !== undefined && last.receiveCount >= MAX_RECEIVE_COUNT && last.invocation.failed;
}

/** At some moment of the invocation that sent the letter, which it does at its end. */
function wasDisabled({ keyArn: wanted }: StoredAs, letter: DeadLetter, state: StateFate, outages: KeyOutage[]): boolean {
  if (wanted === keyArn(LOST_KEY_ID)) return true;
  const begun = Math.min(letter.sentAt, ...sentIn(letter, state).map(({ invocation }) => invocation.begun));
  return (
    wanted === keyArn(FLAKY_KEY_ID) &&
    outages.some(({ keyId, from, until }) => keyId === FLAKY_KEY_ID && from <= letter.sentAt && begun <= until + SLACK_MS)
  );
}

function newerWasOpen({ states }: KeyFate, state: StateFate, { sentAt }: DeadLetter): boolean {
  const newer = states.slice(states.indexOf(state) + 1);
  return newer.some(({ records, deliveries }) => {
    const begun = deliveries[0]?.invocation.begun ?? Number.POSITIVE_INFINITY;
    const recorded = records[0] === undefined ? Number.POSITIVE_INFINITY : Date.parse(records[0].encryptedAt);
    return begun <= sentAt && sentAt <= recorded + 10_000;
  });
}
