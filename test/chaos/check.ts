/** Holds what is there against what was dropped. Pure: what it looks at was gathered before. */
import { isDeepStrictEqual } from 'node:util';
import { diedAtLast, disprove } from './causes.ts';
import { contents, digest } from './contents.ts';
import type { Evidence, RecordItem } from './evidence.ts';
import type { KeyFate, StateFate } from './fates.ts';
import type { HeldObject, Seen } from './held-object.ts';
import type { Troubles } from './injected.ts';
import { type StoredAs, storedAs } from './stored-as.ts';

export interface Complaint {
  key: string;
  expected: string;
  found: string;
}

export interface Check {
  title: string;
  /** How many things it looked at. */
  looked: number;
  complaints: Complaint[];
}

export interface CheckInput {
  seed: number;
  fates: KeyFate[];
  evidence: Evidence;
  troubles: Troubles;
  kmsKeyArn: string;
  /** What functions printed, and secrets that must not be in it. */
  leaks: { logs: string[]; secrets: string[] };
}

export function checkAll(input: CheckInput): Check[] {
  return [
    nothingLost(input),
    notInBoth(input),
    newestWins(input),
    faithful(input),
    encryptedAsAsked(input),
    recordsAreTrue(input),
    eventsAreTrue(input),
    currentIsRecorded(input),
    lettersAreRecorded(input),
    causesAreTrue(input),
    nothingLeft(input),
    nothingLeaked(input),
  ];
}

/** A check over keys, states or whatever it is that can be wrong. */
function over<Item>(title: string, items: Item[], look: (item: Item) => Complaint | null): Check {
  const complaints = items.flatMap((item) => look(item) ?? []);
  return { title, looked: items.length, complaints };
}

const allStates = ({ fates }: CheckInput) => fates.flatMap((fate) => fate.states.map((state) => ({ fate, state })));
const name = ({ written }: StateFate) => `state ${written.state.number} (${written.versionId.slice(0, 8)})`;

function nothingLost(input: CheckInput): Check {
  return over('every state is recorded, superseded by a record, or a dead letter', allStates(input), ({ fate, state }) => {
    const newest = fate.newest === null ? -1 : fate.states.indexOf(fate.newest.state);
    if (state.records.length > 0 || state.deadLetters.length > 0 || newest > fate.states.indexOf(state)) return null;
    const found = state.deliveries.length === 0 ? 'never delivered' : `delivered ${state.deliveries.length} times, and nothing came of it`;
    return { key: fate.planned.key, expected: `${name(state)} in the target or among the dead letters`, found };
  });
}

/** An event that came in several messages may fail in one and succeed in another; a function may die after its record. */
function notInBoth(input: CheckInput): Check {
  const recorded = allStates(input).filter(({ state }) => state.records.length > 0);
  return over('no state is both recorded and a dead letter', recorded, ({ fate, state }) => {
    const messages = new Set(state.deliveries.map(({ messageId }) => messageId));
    const letter = state.deadLetters.find((one) => !diedAtLast(one, state) && messages.size < 2);
    if (letter === undefined) return null;
    return {
      key: fate.planned.key,
      expected: `${name(state)} in one place`,
      found: `a record and a dead letter (${letter.code}: ${letter.cause})`,
    };
  });
}

/** Older than the newest record there is nothing; newer only what a dead letter speaks of. */
function newestWins(input: CheckInput): Check {
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

function digestOf(seed: number, { written: { key, state } }: StateFate): string {
  return digest(contents(seed, key, state.number, state.size));
}

function faithful(input: CheckInput): Check {
  const title = 'content type, language, disposition, cache control, metadata and tags are the source’s'.replace('’', "'");
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

/** Keys whose current object is the newest recorded state. */
function recordedAndHeld({ fates }: CheckInput): { fate: KeyFate; state: StateFate; record: RecordItem; held: HeldObject }[] {
  return fates.flatMap((fate) => {
    const { newest, current, held } = fate;
    if (newest === null || held === null || 'refused' in held || current?.versionId !== newest.record.versionId) return [];
    return [{ fate, state: newest.state, record: newest.record, held }];
  });
}

function encryptedAsAsked(input: CheckInput): Check {
  return over(
    'the current object is encrypted as the policy says, unless its dead letter tells',
    input.fates.filter(({ current }) => current !== null),
    (fate) => {
      const { current, states, newest, planned } = fate;
      const seen = input.evidence.seen.get(current?.versionId ?? '');
      const mine = current?.versionId === newest?.record.versionId ? newest?.state : undefined;
      const candidates = mine === undefined ? states : [mine];
      if (candidates.some((state) => isAs(seen, wantedFor(input, fate, state)))) return null;
      if (mine === undefined && states.some(({ deadLetters }) => deadLetters.some(({ code }) => code === 'answer-mismatch'))) return null;
      const wanted = candidates.map((state) => JSON.stringify(wantedFor(input, fate, state)));
      return { key: planned.key, expected: [...new Set(wanted)].join(' or '), found: JSON.stringify(seen) ?? 'nothing' };
    },
  );
}

function wantedFor({ kmsKeyArn, evidence }: CheckInput, { planned }: KeyFate, { written }: StateFate): StoredAs {
  const wanted = storedAs(planned.folder, written.state, { kmsKeyArn });
  return wanted.keyArn === 'managed' ? { ...wanted, keyArn: evidence.managedKeyArn } : wanted;
}

function isAs(seen: Seen | undefined, wanted: StoredAs): boolean {
  return seen !== undefined && 'storedAs' in seen && isDeepStrictEqual(seen.storedAs, wanted);
}

function recordsAreTrue(input: CheckInput): Check {
  const records = allStates(input).flatMap(({ fate, state }) => state.records.map((record) => ({ fate, state, record })));
  const versions = new Map(input.evidence.versions.map((version) => [version.versionId, version]));
  return over('every record is of a version that is there and encrypted as it says', records, ({ fate, state, record }) => {
    const { key } = fate.planned;
    const version = versions.get(record.versionId ?? '');
    if (version === undefined || version.key !== key)
      return { key, expected: `version ${record.versionId} of the record`, found: 'no such version' };
    if (version.etag !== record.etag) return { key, expected: `ETag ${record.etag} of the record`, found: version.etag };
    const seen = input.evidence.seen.get(version.versionId);
    const wanted = wantedFor(input, fate, state);
    if (record.encryption.mode !== wanted.mode || !isAs(seen, wanted)) {
      return { key, expected: JSON.stringify(wanted), found: `${JSON.stringify(seen)}, recorded as ${record.encryption.mode}` };
    }
    return null;
  });
}

function eventsAreTrue(input: CheckInput): Check {
  const told = allStates(input).filter(({ state }) => state.records.length > 0 || state.encrypted.length > 0);
  return over('every recorded state has exactly one ObjectEncrypted, and each is true', told, ({ fate, state }) => {
    const { key } = fate.planned;
    const [event] = state.encrypted;
    if (event === undefined || state.encrypted.length > 1) {
      return { key, expected: `one ObjectEncrypted of ${name(state)}`, found: String(state.encrypted.length) };
    }
    // Without its record it counts for nothing yet: its message must then be a dead letter.
    if (state.records.length === 0 && state.deadLetters.length === 0 && fate.newest === null) {
      return { key, expected: `a record of ${name(state)}`, found: 'only its event' };
    }
    const seen = input.evidence.seen.get(event.versionId ?? '');
    const wanted = wantedFor(input, fate, state);
    return isAs(seen, wanted)
      ? null
      : { key, expected: JSON.stringify(wanted), found: `ObjectEncrypted of ${JSON.stringify(seen) ?? 'no version'}` };
  });
}

function currentIsRecorded(input: CheckInput): Check {
  const title = "the newest record names the target's current version, where no dead letter tells of a newer one";
  const calm = input.fates.filter(({ newest, states }) => {
    const after = newest === null ? states : states.slice(states.indexOf(newest.state));
    return newest !== null && after.every(({ deadLetters }) => deadLetters.length === 0);
  });
  return over(title, calm, ({ planned: { key }, newest, current }) => {
    const expected = `${newest?.record.versionId} (${newest?.record.etag})`;
    const found = `${current?.versionId} (${current?.etag})`;
    return expected === found ? null : { key, expected, found };
  });
}

/** Where the table itself failed, it could not be told. */
function lettersAreRecorded(input: CheckInput): Check {
  const letters = allStates(input).flatMap(({ fate, state }) =>
    state.deadLetters.flatMap((letter) => (letter.code === null ? [] : [{ fate, state, letter }])),
  );
  return over('every dead letter with a cause has its EncryptionFailed', letters, ({ fate, state, letter }) => {
    if (state.failed.length > 0) return null;
    const tableFailed = state.deliveries.some(({ invocation: { begun, ended } }) =>
      input.troubles.injected.some(({ at, service }) => service === 'dynamodb' && at >= begun && at <= (ended ?? at)),
    );
    if (tableFailed) return null;
    return { key: fate.planned.key, expected: `EncryptionFailed (${letter.code}) of ${name(state)}`, found: 'none' };
  });
}

function causesAreTrue(input: CheckInput): Check {
  const letters = allStates(input).flatMap(({ fate, state }) => state.deadLetters.map((letter) => ({ fate, state, letter })));
  return over('every dead letter has a true cause', letters, ({ fate, state, letter }) => {
    const against = disprove(letter, fate, state, wantedFor(input, fate, state), input.troubles);
    if (against === null) return null;
    return {
      key: fate.planned.key,
      expected: 'a cause that was there',
      found: `${letter.code ?? 'died'} (${letter.cause}), but ${against}`,
    };
  });
}

/** What a function died over for good the bucket's lifecycle aborts. */
function nothingLeft({ evidence, fates }: CheckInput): Check {
  const died = new Set(
    fates
      .filter(({ states }) => states.some((state) => state.deadLetters.some(({ code }) => code === null)))
      .map(({ planned }) => planned.key),
  );
  const uploads = evidence.uploads.map(({ key, uploadId }) => ({ key, what: `upload ${uploadId.slice(0, 8)}` }));
  const messages = Array.from({ length: evidence.left }, () => ({ key: '', what: 'a message on the ingest queue' }));
  const strangers = evidence.deadLetters
    .filter(({ sources }) => sources.length === 0)
    .map(({ code }) => ({ key: '', what: `a dead letter of no object (${code})` }));
  const check = over('nothing is left: no upload, no message', [...uploads, ...messages, ...strangers], ({ key, what }) =>
    died.has(key) ? null : { key, expected: 'nothing', found: what },
  );
  return { ...check, looked: fates.length };
}

function nothingLeaked({ leaks: { logs, secrets } }: CheckInput): Check {
  return over('no key is in what functions print', logs, (text) => {
    const shown = secrets.some((secret) => text.includes(secret));
    return shown ? { key: '', expected: 'no key', found: 'one, in the functions’ output'.replace('’', "'") } : null;
  });
}
