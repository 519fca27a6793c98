import { Readable } from 'node:stream';
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import { openObject } from '../src/open-object.ts';
import type { OpenRequest } from '../src/opened.ts';
import { READER, REQUEST_ID } from './fixtures/api.ts';
import { headError, s3Error, secretError, tableError } from './fixtures/aws.ts';
import { auditEvents } from './fixtures/encrypt-world.ts';
import { KEY_BASE64, KEY_VERSION } from './fixtures/objects.ts';
import { BYTES, OLD_MATERIAL, OLD_VERSION, type OpenWorld, openWorld } from './fixtures/open-world.ts';

const PURPOSES = ['read', 'inspect'] as const;

const WHOLE = { key: 'reports/1', range: null, conditions: {}, redirects: true };

async function open(world: OpenWorld, purpose: (typeof PURPOSES)[number] = 'read', more: Partial<OpenRequest> = {}) {
  const caller = { subject: 'user-17', claims: READER, principal: null };
  const opened = await openObject({ ...WHOLE, purpose, caller, requestId: REQUEST_ID, ...more }, world.deps);
  if (opened.kind !== 'object') throw new Error(`answered by ${opened.kind}`);
  return opened.object;
}

const keysTried = (world: OpenWorld) =>
  [...world.s3.commandCalls(GetObjectCommand), ...world.s3.commandCalls(HeadObjectCommand)].map(
    (call) => call.args[0].input.SSECustomerKey ?? null,
  );

const OLD = OLD_MATERIAL.toString('base64');
const CURRENT = KEY_BASE64;

describe('openObject, where the key alone does not say how an object is stored', () => {
  /** Stored under, recorded as → the keys that S3 is shown, in order. */
  const CASES = [
    ['no customer key', null, 'the same', null, [null]],
    ['the current key', KEY_VERSION, 'the same', KEY_VERSION, [CURRENT]],
    ['the key before', OLD_VERSION, 'the same', OLD_VERSION, [OLD]],
    ['no customer key', null, 'nothing yet', 'no record', [null]],
    ['the current key', KEY_VERSION, 'nothing yet', 'no record', [null, CURRENT]],
    ['the current key', KEY_VERSION, 'no customer key', null, [null, CURRENT]],
    ['no customer key', null, 'the current key', KEY_VERSION, [CURRENT, null]],
    ['the current key', KEY_VERSION, 'the key before', OLD_VERSION, [OLD, null, CURRENT]],
  ] as const;

  for (const purpose of PURPOSES) {
    it.each(CASES)(`${purpose}s an object under %s whose record says %3$s`, async (_stored, storedUnder, _said, recorded, tried) => {
      const world = openWorld({ storedUnder, recorded });
      const opened = await open(world, purpose);
      expect(opened.mode).toBe(storedUnder === null ? 'sse-kms' : 'sse-c');
      expect(keysTried(world)).toEqual(tried);
      expect(auditEvents(world)[0]?.encryption).toMatchObject(
        storedUnder === null ? { mode: 'sse-kms' } : { customerKeyVersion: storedUnder },
      );
    });
  }

  it('fails by name when no known key opens the object', async () => {
    const world = openWorld({ storedUnder: OLD_VERSION, recorded: KEY_VERSION });
    await expect(open(world)).rejects.toMatchObject({ code: 'customer-key-mismatch', retryable: false, object: { key: 'reports/1' } });
    expect(keysTried(world)).toEqual([CURRENT, null]);
    expect(auditEvents(world)).toEqual([expect.objectContaining({ outcome: 'failure', code: 'customer-key-mismatch' })]);
  });

  it('asks for no customer key where none is wanted', async () => {
    const world = openWorld();
    await open(world);
    expect(world.secretsManager.calls()).toHaveLength(0);
  });

  it('says of a HEAD that was refused without a word why, as a GET of one byte is told', async () => {
    const world = openWorld();
    world.s3.on(HeadObjectCommand).rejects(headError(400));
    world.s3.on(GetObjectCommand).rejects(s3Error('KMS.DisabledException', 400, 'the key is disabled'));
    await expect(open(world, 'inspect')).rejects.toMatchObject({ code: 'kms-key-disabled' });
    expect(auditEvents(world)).toEqual([expect.objectContaining({ action: 'ObjectInspected', code: 'kms-key-disabled' })]);
    expect(world.s3.commandCalls(GetObjectCommand)[0]?.args[0].input.Range).toBe('bytes=0-0');
  });

  it('does not take a denied role for a wrong key', async () => {
    const world = openWorld({ storedUnder: KEY_VERSION });
    world.s3
      .on(GetObjectCommand)
      .rejects(
        s3Error(
          'AccessDenied',
          403,
          'User: x is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::t/k" with an explicit deny in a resource-based policy',
        ),
      );
    await expect(open(world)).rejects.toMatchObject({ code: 'access-denied' });
    expect(keysTried(world)).toHaveLength(1);
  });

  it('of a HEAD that S3 denies in any case says access-denied', async () => {
    const world = openWorld({ storedUnder: KEY_VERSION });
    world.s3.on(HeadObjectCommand).rejects(headError(403));
    await expect(open(world, 'inspect')).rejects.toMatchObject({ code: 'access-denied' });
  });

  it.each([
    ['the record', 'audit-unavailable'],
    ['the key version', 'customer-key-missing'],
  ])('fails by name when %s cannot be had, without asking S3', async (what, code) => {
    const world = openWorld({ storedUnder: KEY_VERSION });
    if (what === 'the record') world.dynamodb.on(QueryCommand).rejects(tableError('InternalServerError'));
    else world.secretsManager.on(GetSecretValueCommand).rejects(secretError('ResourceNotFoundException'));
    await expect(open(world)).rejects.toMatchObject({ code });
    expect(world.s3.calls()).toHaveLength(0);
  });

  it('tells what is known of an object of any size', async () => {
    const world = openWorld();
    world.deps.limits = { maxStreamedBytes: 1, redirectAboveBytes: 1 };
    await expect(open(world, 'inspect')).resolves.toMatchObject({ contentLength: BYTES.length, size: BYTES.length });
  });

  it('lets go of a body whose encryption S3 does not tell', async () => {
    const world = openWorld();
    const body = Readable.from([BYTES]);
    world.s3.on(GetObjectCommand).callsFake(async () => ({ Body: body }));
    await expect(open(world)).rejects.toMatchObject({ code: 'answer-mismatch' });
    expect(body.destroyed).toBe(true);
  });

  it('is not ended by a body that breaks while nobody wants it any more', async () => {
    const world = openWorld();
    const body = new Readable({ read() {} });
    world.s3.on(GetObjectCommand).callsFake(async () => ({ Body: body, ContentLength: 19, ETag: '"e"', ServerSideEncryption: 'AES256' }));
    await expect(open(world, 'read', { conditions: { ifMatch: '"x"' } })).rejects.toMatchObject({ code: 'precondition-failed' });
    body.destroy(new Error('Connection lost'));
    // Without anybody who listens, this would end the process.
    await new Promise((resolve) => body.once('close', resolve));
  });

  it('gives the body unread, for the caller to stream', async () => {
    const { body } = await open(openWorld());
    expect([body?.readableDidRead, body?.destroyed]).toEqual([false, false]);
    body?.destroy();
    expect((await open(openWorld(), 'inspect')).body).toBeNull();
  });
});

describe('openObject, of keys that it may guess', () => {
  const CARDS = { rules: [{ match: { prefix: 'reports/' }, encryption: { mode: 'sse-c' } }], default: { encryption: { mode: 'sse-kms' } } };
  const PLAIN = { default: { encryption: { mode: 'sse-kms' } } };
  const lookUps = (world: OpenWorld) => world.dynamodb.commandCalls(QueryCommand).length;

  /** Policy, stored under, recorded as → the keys that S3 is shown, and look-ups of the record. */
  const CASES = [
    ['no customer key', PLAIN, null, null, [null], 0],
    ['the current key', CARDS, KEY_VERSION, KEY_VERSION, [CURRENT], 0],
    ['the key before', CARDS, OLD_VERSION, OLD_VERSION, [CURRENT, OLD], 1],
    ['no customer key, by a former policy', CARDS, null, null, [CURRENT, null], 1],
    ['the current key, by a former policy', PLAIN, KEY_VERSION, KEY_VERSION, [null, CURRENT], 1],
    ['the current key, unrecorded', PLAIN, KEY_VERSION, 'no record', [null, CURRENT], 1],
  ] as const;
  it.each(CASES)(
    'opens an object under %s, and the next time at once',
    async (_stored, policySays, storedUnder, recorded, tried, looked) => {
      const world = openWorld({ storedUnder, recorded, policySays });
      (await open(world)).body?.destroy();
      expect([keysTried(world), lookUps(world)]).toEqual([tried, looked]);
      world.s3.resetHistory();
      world.dynamodb.resetHistory();
      (await open(world)).body?.destroy();
      expect([keysTried(world), lookUps(world)]).toEqual([[storedUnder === null ? null : MATERIAL_OF[storedUnder]], 0]);
    },
  );

  it('asks its record where the guessed key cannot be had', async () => {
    const world = openWorld({ storedUnder: null, policySays: CARDS });
    world.secretsManager.on(GetSecretValueCommand).rejects(secretError('ResourceNotFoundException'));
    (await open(world)).body?.destroy();
    expect([keysTried(world), lookUps(world)]).toEqual([[null], 1]);
  });

  it('opens what was stored anew under another key since', async () => {
    const world = openWorld({ storedUnder: null, policySays: PLAIN });
    (await open(world)).body?.destroy();
    const later = openWorld({ storedUnder: KEY_VERSION, policySays: PLAIN });
    later.deps.openedWith = world.deps.openedWith;
    (await open(later)).body?.destroy();
    expect(keysTried(later)).toEqual([null, CURRENT]);
  });

  it('of a version that nobody knows says that there is none, also where a HEAD is refused without a word', async () => {
    const world = openWorld({ recorded: 'no record', policySays: PLAIN });
    world.s3.on(HeadObjectCommand).rejects(headError(400));
    await expect(open(world, 'inspect', { versionId: 'no-version' })).rejects.toMatchObject({ code: 'not-found' });
    world.s3.on(GetObjectCommand).rejects(s3Error('InvalidArgument', 400, 'Invalid version id specified'));
    await expect(open(world, 'read', { versionId: 'no-version' })).rejects.toMatchObject({ code: 'not-found' });
  });

  it('reads the version that is asked for', async () => {
    const world = openWorld({ policySays: PLAIN });
    (await open(world, 'read', { versionId: 'v-7' })).body?.destroy();
    expect(world.s3.commandCalls(GetObjectCommand)[0]?.args[0].input).toMatchObject({ Key: 'reports/1', VersionId: 'v-7' });
  });
});

const MATERIAL_OF: Record<string, string> = { [KEY_VERSION]: CURRENT, [OLD_VERSION]: OLD };
