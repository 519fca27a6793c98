/** Whether every state is where it belongs, as it was. */
import { isDeepStrictEqual } from 'node:util';
import { diedAtLast, sentIn } from './causes.ts';
import { allStates, type Check, type CheckInput, isAs, name, over, wantedFor } from './checking.ts';
import { contents, digest } from './contents.ts';
import { fateOf } from './deliveries.ts';
import type { DeadLetter, RecordItem } from './evidence.ts';
import type { KeyFate, StateFate } from './fates.ts';
import type { HeldObject } from './held-object.ts';

export function nothingLost(input: CheckInput): Check {
  return over('every state is recorded, superseded by a record, or a dead letter', allStates(input), ({ fate, state }) => {
    const newest = fate.newest === null ? -1 : fate.states.indexOf(fate.newest.state);
    if (state.records.length > 0 || state.deadLetters.length > 0 || newest > fate.states.indexOf(state)) return null;
    const found = state.deliveries.length === 0 ? 'never delivered' : `delivered ${state.deliveries.length} times, and nothing came of it`;
    return { key: fate.planned.key, expected: `${name(state)} in the target or among the dead letters`, found };
  });
}

/** `redrive` drops the exceptions: an event in several messages, of which one failed; a death, or a lost answer, between the dead letter and its acknowledgement. */
export function notInBoth(input: CheckInput): Check {
  const recorded = allStates(input).filter(({ state }) => state.records.length > 0);
  return over('no state is both recorded and a dead letter', recorded, ({ fate, state }) => {
    const messages = new Set(state.deliveries.map(({ messageId }) => messageId));
    const unacknowledged = (letter: DeadLetter) => sentIn(letter, state).some((delivery) => fateOf(delivery) !== 'acknowledged');
    const letter = state.deadLetters.find((one) => !diedAtLast(one, state) && !unacknowledged(one) && messages.size < 2);
    if (letter === undefined) return null;
    return {
      key: fate.planned.key,
      expected: `${name(state)} in one place`,
      found: `a record and a dead letter (${letter.code}: ${letter.cause})`,
    };
  });
}

/** Older than the newest record there is nothing; newer only what a dead letter speaks of. */
export function newestWins(input: CheckInput): Check {
  const title = 'the target holds the newest recorded state, byte for byte';
  return over(title, input.fates, ({ planned: { key }, states, newest, current, held }) => {
    const allowed = states.filter((state, index) => {
      const at = newest === null ? -1 : states.indexOf(newest.state);
      return state === newest?.state || (index > at && state.deadLetters.length > 0);
    });
    if (current === null) return newest === null ? null : { key, expected: name(newest.state), found: 'nothing' };
    if (held === null || 'refused' in held) {
      // What nobody records nobody vouches for; it may lie under a key that does not work.
      if (newest === null) return null;
      return { key, expected: name(newest.state), found: `unreadable: ${held?.refused}` };
    }
    if (allowed.some((state) => digestOf(input.seed, state) === held.digest)) return null;
    const really = states.find((state) => digestOf(input.seed, state) === held.digest);
    return {
      key,
      expected: allowed.map(name).join(' or ') || 'nothing',
      found: really === undefined ? `${held.size} bytes of no state` : name(really),
    };
  });
}

export function faithful(input: CheckInput): Check {
  const title = "content type, language, disposition, cache control, metadata and tags are the source's";
  return over(title, recordedAndHeld(input), ({ fate, state, held }) => {
    const {
      contentType = 'application/octet-stream',
      contentLanguage,
      contentDisposition,
      cacheControl,
      metadata,
      tags,
    } = state.written.state;
    const wanted = { contentType, contentLanguage, contentDisposition, cacheControl, metadata, tags };
    for (const [property, value] of Object.entries(wanted)) {
      const found = held[property as keyof typeof wanted];
      if (!isDeepStrictEqual(found, value)) {
        return { key: fate.planned.key, expected: `${property} ${JSON.stringify(value)}`, found: JSON.stringify(found) ?? 'none' };
      }
    }
    return null;
  });
}

export function encryptedAsAsked(input: CheckInput): Check {
  return over(
    'the current object is encrypted as the policy says, unless its dead letter tells',
    input.fates.filter(({ current }) => current !== null),
    (fate) => {
      const { current, states, newest, planned } = fate;
      const seen = input.evidence.seen.get(current?.versionId ?? '');
      const mine = current?.versionId === newest?.record.versionId ? newest?.state : undefined;
      const candidates = mine === undefined ? states : [mine];
      if (candidates.some((state) => isAs(seen, wantedFor(input, fate, state)))) return null;
      if (mine === undefined && states.some(({ deadLetters }) => deadLetters.length > 0)) return null;
      const wanted = candidates.map((state) => JSON.stringify(wantedFor(input, fate, state)));
      return { key: planned.key, expected: [...new Set(wanted)].join(' or '), found: JSON.stringify(seen) ?? 'nothing' };
    },
  );
}

function digestOf(seed: number, { written: { key, state } }: StateFate): string {
  return digest(contents(seed, key, state.number, state.size));
}

/** Keys whose current object is the newest recorded state. */
function recordedAndHeld({ fates }: CheckInput): { fate: KeyFate; state: StateFate; record: RecordItem; held: HeldObject }[] {
  return fates.flatMap((fate) => {
    const { newest, current, held } = fate;
    if (newest === null || held === null || 'refused' in held || current?.versionId !== newest.record.versionId) return [];
    return [{ fate, state: newest.state, record: newest.record, held }];
  });
}
