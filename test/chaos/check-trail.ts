/** Whether what records, audit events, dead letters and logs say is true, and all of it. */
import { disprove } from './causes.ts';
import { allStates, type Check, type CheckInput, isAs, name, over, wantedFor } from './checking.ts';

export function recordsAreTrue(input: CheckInput): Check {
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

export function eventsAreTrue(input: CheckInput): Check {
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

export function currentIsRecorded(input: CheckInput): Check {
  const title = "the newest record names the target's current ETag, where no dead letter tells of a newer one";
  const calm = input.fates.filter(({ newest, states }) => {
    const after = newest === null ? states : states.slice(states.indexOf(newest.state));
    return newest !== null && after.every(({ deadLetters }) => deadLetters.length === 0);
  });
  return over(title, calm, ({ planned: { key }, newest, current }) => {
    const expected = String(newest?.record.etag);
    const found = String(current?.etag);
    return expected === found ? null : { key, expected, found };
  });
}

/** Where the table itself failed, it could not be told. */
export function lettersAreRecorded(input: CheckInput): Check {
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

export function causesAreTrue(input: CheckInput): Check {
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
export function nothingLeft({ evidence, fates }: CheckInput): Check {
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

export function nothingLeaked({ leaks: { logs, secrets } }: CheckInput): Check {
  return over('no key is in what functions print', logs, (text) => {
    const shown = secrets.some((secret) => text.includes(secret));
    return shown ? { key: '', expected: 'no key', found: 'one' } : null;
  });
}
