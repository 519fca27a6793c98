/** The checker finds what is wrong: a run that can only be green proves nothing. */
import { describe, expect, test } from 'vitest';
import { checkAll } from './check.ts';
import type { CheckInput } from './checking.ts';
import { contents, digest } from './contents.ts';
import type { Invocation } from './deliveries.ts';
import type { Ledger } from './drop.ts';
import type { DeadLetter, Evidence } from './evidence.ts';
import { joinFates } from './fates.ts';
import type { HeldObject } from './held-object.ts';
import type { Troubles } from './injected.ts';
import type { PlannedKey, PlannedState } from './plan.ts';

const KEY = 'public/a.txt';
const SEED = 1;

const state = (number: number): PlannedState => ({ number, size: 10, contentType: 'text/plain', metadata: { a: 'b' }, tags: { c: 'd' } });
const [OLD, NEW] = [state(0), state(1)];

/** Two states of one key: the older one superseded, the newer one encrypted and recorded. */
interface Scene {
  ledger: Ledger;
  invocations: Invocation[];
  evidence: Evidence;
  troubles: Troubles;
  logs: string[];
}

function goodScene(): Scene {
  const held: HeldObject = {
    digest: digest(contents(SEED, KEY, 1, 10)),
    size: 10,
    contentType: 'text/plain',
    metadata: { a: 'b' },
    tags: { c: 'd' },
  };
  return {
    ledger: {
      written: [
        { key: KEY, state: OLD, versionId: 'source-old', etag: 'x' },
        { key: KEY, state: NEW, versionId: 'source-new', etag: 'y' },
      ],
      removed: new Set(),
    },
    invocations: [delivered('source-old', '1A', 0), delivered('source-new', '1B', 1)],
    evidence: {
      versions: [{ key: KEY, versionId: 'stored', etag: 'e', latest: true }],
      held: new Map([[KEY, held]]),
      seen: new Map([['stored', { storedAs: { mode: 'sse-s3' } }]]),
      records: [
        {
          key: KEY,
          etag: 'e',
          versionId: 'stored',
          encryption: { mode: 'sse-s3' },
          size: 10,
          source: { versionId: 'source-new', sequencer: '1B' },
          encryptedAt: '2026-01-01T00:00:10.000Z',
        },
      ],
      events: [{ action: 'ObjectEncrypted', outcome: 'success', key: KEY, uniqueId: '1B', versionId: 'stored' }],
      deadLetters: [],
      uploads: [],
      left: 0,
      managedKeyArn: '',
    },
    troubles: { injected: [], outages: [], stopsAfterMs: 60_000 },
    logs: ['encrypted'],
  };
}

function delivered(versionId: string, sequencer: string, number: number): Invocation {
  const begun = Date.parse('2026-01-01T00:00:00.000Z') + number * 1000;
  const invocation: Invocation = { number, begun, ended: begun + 500, failed: false, retried: new Set(), deliveries: [] };
  const messageId = `message-${number}`;
  const sources = [{ key: KEY, versionId, sequencer }];
  invocation.deliveries.push({ messageId, receiptHandle: '', receiveCount: 1, kind: 'event', sources, invocation });
  return invocation;
}

const letter = (code: string | null, more: Partial<DeadLetter> = {}): DeadLetter => ({
  code,
  cause: 'because',
  key: KEY,
  sources: [{ key: KEY, versionId: 'source-old', sequencer: '1A' }],
  sentAt: Date.parse('2026-01-01T00:00:00.200Z'),
  messageId: 'message-0',
  ...more,
});

function failing({ ledger, invocations, evidence, troubles, logs }: Scene): string[] {
  const planned: PlannedKey = { key: KEY, folder: 'public/', story: 'overwritten', writers: [] };
  const input: CheckInput = {
    seed: SEED,
    fates: joinFates([planned], ledger, invocations, evidence),
    evidence,
    troubles,
    kmsKeyArn: 'arn',
    leaks: { logs, secrets: ['canary'] },
  };
  return checkAll(input).flatMap(({ title, complaints }) => (complaints.length > 0 ? [title] : []));
}

const record = ({ evidence }: Scene) => evidence.records[0] ?? expect.fail('the scene has a record');
const held = ({ evidence }: Scene) => evidence.held.get(KEY) as HeldObject;

test('a run where all went well has nothing to complain of', () => {
  expect(failing(goodScene())).toEqual([]);
});

describe('complains of', () => {
  test.each<[string, (scene: Scene) => void, string]>([
    ['a state that was never delivered', (scene) => void scene.invocations.pop(), 'every state is recorded'],
    [
      'a state that came to nothing',
      ({ evidence }) => {
        evidence.records = [];
      },
      'every state is recorded',
    ],
    [
      'a state that is recorded and dead',
      (scene) => void scene.evidence.deadLetters.push(letter('throttled', newSource())),
      'no state is both',
    ],
    [
      'an older state on top',
      (scene) => {
        held(scene).digest = digest(contents(SEED, KEY, 0, 10));
      },
      'the target holds the newest',
    ],
    [
      'bytes of no state',
      (scene) => {
        held(scene).digest = 'ff';
      },
      'the target holds the newest',
    ],
    [
      'an object that is gone',
      ({ evidence }) => {
        evidence.versions = [];
      },
      'the target holds the newest',
    ],
    ['an object that nobody can read', ({ evidence }) => void evidence.held.set(KEY, { refused: '403' }), 'the target holds the newest'],
    [
      'metadata that was lost',
      (scene) => {
        held(scene).metadata = {};
      },
      'content type',
    ],
    [
      'tags that were lost',
      (scene) => {
        held(scene).tags = {};
      },
      'content type',
    ],
    [
      'another content type',
      (scene) => {
        held(scene).contentType = 'text/html';
      },
      'content type',
    ],
    ['another encryption', otherEncryption, 'the current object is encrypted'],
    [
      'a record of another encryption',
      (scene) => {
        record(scene).encryption = { mode: 'sse-kms' };
      },
      'every record is of',
    ],
    [
      'a record of no version',
      (scene) => {
        record(scene).versionId = 'nowhere';
      },
      'every record is of',
    ],
    [
      'a record of another ETag',
      (scene) => {
        record(scene).etag = 'f';
      },
      'every record is of',
    ],
    [
      'an audit event too few',
      ({ evidence }) => {
        evidence.events = [];
      },
      'every recorded state has exactly one',
    ],
    ['an audit event too many', ({ evidence }) => void evidence.events.push(...evidence.events), 'every recorded state has exactly one'],
    ['an audit event of plaintext', otherEncryption, 'every recorded state has exactly one'],
    ['a current version that nobody recorded', newCurrent, 'the newest record names'],
    [
      'a dead letter that the trail does not know',
      (scene) => void scene.evidence.deadLetters.push(letter('source-gone')),
      'every dead letter with a cause',
    ],
    [
      'a source that is said to be gone',
      (scene) => void scene.evidence.deadLetters.push(letter('source-gone')),
      'every dead letter has a true',
    ],
    [
      'a key that is said to be disabled',
      (scene) => void scene.evidence.deadLetters.push(letter('kms-key-disabled')),
      'every dead letter has a true',
    ],
    [
      'a table that is said to have failed',
      (scene) => void scene.evidence.deadLetters.push(letter('audit-unavailable')),
      'every dead letter has a true',
    ],
    ['a death that was none', (scene) => void scene.evidence.deadLetters.push(letter(null)), 'every dead letter has a true'],
    ['an upload that is left', ({ evidence }) => void evidence.uploads.push({ key: KEY, uploadId: 'u' }), 'nothing is left'],
    [
      'a message that is left',
      ({ evidence }) => {
        evidence.left = 1;
      },
      'nothing is left',
    ],
    ['a key in the logs', ({ logs }) => void logs.push('a canary sings'), 'no key is in'],
  ])('%s', (_, spoil, title) => {
    const scene = goodScene();
    spoil(scene);
    expect(failing(scene)).toContainEqual(expect.stringContaining(title));
  });
});

describe('accepts', () => {
  const failed = { action: 'EncryptionFailed', outcome: 'failure', key: KEY, uniqueId: '1A' };

  test('a removed source that is dead as gone', () => {
    const scene = goodScene();
    scene.ledger.removed.add('source-old');
    scene.evidence.deadLetters.push(letter('source-gone'));
    scene.evidence.events.push(failed);
    expect(failing(scene)).toEqual([]);
  });

  test('a cause that was injected into the very call', () => {
    const scene = goodScene();
    const at = Date.parse('2026-01-01T00:00:00.100Z');
    scene.troubles.injected.push({ at, service: 's3', operation: 'CopyObject', fault: 'error SlowDown', key: KEY });
    scene.evidence.deadLetters.push(letter('throttled'));
    scene.evidence.events.push(failed);
    expect(failing(scene)).toEqual([]);
  });

  test('a dead letter of a message that was given back, since the queue never said that it took the letter', () => {
    const scene = goodScene();
    const [, second] = scene.invocations;
    const sent = { ...newSource(), sentAt: Date.parse('2026-01-01T00:00:01.200Z') };
    scene.evidence.deadLetters.push(letter('throttled', sent));
    const both = 'no state is both recorded and a dead letter';
    expect(failing(scene)).toContain(both);
    second?.retried.add('message-1');
    expect(failing(scene)).not.toContain(both);
  });
});

function newSource(): Partial<DeadLetter> {
  return { sources: [{ key: KEY, versionId: 'source-new', sequencer: '1B' }], messageId: 'message-1' };
}

function otherEncryption({ evidence }: Scene): void {
  evidence.seen.set('stored', { storedAs: { mode: 'sse-kms', keyArn: 'other', bucketKey: false } });
}

function newCurrent({ evidence }: Scene): void {
  evidence.versions = [
    { key: KEY, versionId: 'stored', etag: 'e', latest: false },
    { key: KEY, versionId: 'foreign', etag: 'g', latest: true },
  ];
}
