/** Copies that are encrypted before S3 sees them, through the sandbox's S3 and KMS. */
import { randomBytes } from 'node:crypto';
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import pLimit from 'p-limit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { prepareCopy } from '../../src/copy/prepare-copy.ts';
import { createSealer } from '../../src/copy/sealer.ts';
import { byteReader, readHead, unlock } from '../../src/envelope/index.ts';
import type { ClientSideMode } from '../../src/policy/schema.ts';
import { collected, whole } from '../envelope/messages.ts';
import { CLIENT_SIDE_MODES } from '../fixtures/objects.ts';
import { sample } from '../sandbox/s3/sandbox.ts';
import { type CopyWorld, copyWorld, PART_BYTES, TARGET_BUCKET, UP_TO_BYTES } from './copy-world.ts';

let world: CopyWorld;
beforeAll(async () => {
  world = await copyWorld();
});
afterAll(async () => {
  expect(world.sandbox.defects).toEqual([]);
  await world.stop();
});

async function opened(mode: ClientSideMode, key: string, bytes: Buffer) {
  const reader = byteReader(whole(bytes));
  const head = await readHead(reader);
  const message = await unlock(head, { sealdrop: 'cse', bucket: TARGET_BUCKET, key }, world.openingKeys(mode));
  return { head, plaintext: await collected(message.plaintext(reader)) };
}

describe.each(CLIENT_SIDE_MODES)('%s', (mode) => {
  test.each([0, 1, 300, 2 * PART_BYTES, 10_000])('%i bytes become a message that opens for this object alone', async (size) => {
    const key = `${mode}/${size}`;
    const body = sample(size, size);
    const stored = await world.copied(world.job(await world.drop(key, body, { ContentEncoding: 'gzip' }), mode));
    const { bytes, head } = await world.read(TARGET_BUCKET, key);
    expect(bytes.includes(body) && size > 1).toBe(false);
    expect(head).toMatchObject({ ETag: `"${stored.etag}"`, ServerSideEncryption: 'aws:kms', ContentEncoding: `gzip, x-sealdrop-${mode}` });
    const message = await opened(mode, key, bytes);
    expect(message.plaintext.equals(body)).toBe(true);
    expect(stored).toMatchObject({ proof: 'streamed', envelope: { messageId: message.head.messageId, messageBytes: bytes.length } });
    expect(stored.checksum).toMatchObject({ algorithm: 'CRC32', value: head.ChecksumCRC32, type: 'FULL_OBJECT' });
    expect(stored.envelope?.plaintextChecksum).toBeDefined();
    expect(/-\d+$/.test(stored.etag)).toBe(bytes.length > PART_BYTES);
    await expect(opened(mode, 'another', bytes)).rejects.toMatchObject({ code: 'ciphertext-invalid' });
    expect(await world.uploads(key)).toEqual([]);
  });

  test('more than the rule takes is refused before a byte is read', async () => {
    const key = `${mode}/large`;
    const ref = await world.drop(key, sample(UP_TO_BYTES + 1));
    await expect(prepareCopy(world.deps, world.job(ref, mode))).rejects.toMatchObject({ code: 'too-large-for-rule', retryable: false });
    const untold = { ...ref, size: 10 };
    await expect(prepareCopy(world.deps, world.job(untold, mode))).rejects.toMatchObject({ code: 'too-large-for-rule' });
  });

  test('exactly as much as the rule takes is taken', async () => {
    const key = `${mode}/limit`;
    await world.copied(world.job(await world.drop(key, sample(UP_TO_BYTES)), mode));
    expect((await opened(mode, key, (await world.read(TARGET_BUCKET, key)).bytes)).plaintext.length).toBe(UP_TO_BYTES);
  });

  test('what was overwritten since its event is not read', async () => {
    const key = `${mode}/changed`;
    const ref = await world.drop(key, 'first');
    await expect(prepareCopy(world.deps, world.job({ ...ref, etag: 'f'.repeat(32) }, mode))).rejects.toMatchObject({
      code: 'source-changed',
    });
    await expect(prepareCopy(world.deps, world.job({ ...ref, key: 'none' }, mode))).rejects.toMatchObject({ code: 'source-gone' });
  });

  test('an upload of another run is neither gone on with nor ended: that run may be at it still', async () => {
    const key = `${mode}/again`;
    const ref = await world.drop(key, sample(5_000));
    const first = world.job(ref, mode);
    const firstReady = await prepareCopy(world.deps, first);
    if (!('ready' in firstReady)) throw new Error('not prepared');
    const [saved = null] = first.told;
    const second = world.job(ref, mode, { saved, spared: async () => [saved?.uploadId ?? ''] });
    const secondReady = await prepareCopy(world.deps, second);
    if (!('ready' in secondReady)) throw new Error('not prepared');
    expect(await world.uploads(key)).toHaveLength(2);
    expect(second.told[0]?.uploadId).not.toBe(saved?.uploadId);
    await firstReady.ready.commit('absent');
    await expect(secondReady.ready.commit('absent')).rejects.toMatchObject({ code: 'target-changed' });
    await secondReady.ready.abandon();
    expect(await world.uploads(key)).toEqual([]);
    expect((await opened(mode, key, (await world.read(TARGET_BUCKET, key)).bytes)).plaintext.length).toBe(5_000);
  });

  test('an upload that nobody tells of is ended before another begins', async () => {
    const key = `${mode}/untold`;
    const ref = await world.drop(key, sample(5_000));
    await prepareCopy(world.deps, world.job(ref, mode));
    expect(await world.uploads(key)).toHaveLength(1);
    await world.copied(world.job(ref, mode));
    expect(await world.uploads(key)).toEqual([]);
  });

  test('a target that is not as expected is told, and taken on the next try by the same message', async () => {
    const key = `${mode}/raced`;
    const ref = await world.drop(key, sample(500));
    await world.copied(world.job(ref, 'sse-s3'));
    const preparation = await prepareCopy(world.deps, world.job(ref, mode));
    if (!('ready' in preparation)) throw new Error('not prepared');
    await expect(preparation.ready.commit('absent')).rejects.toMatchObject({ code: 'target-changed' });
    const { ETag = '' } = await world.client.send(new HeadObjectCommand({ Bucket: TARGET_BUCKET, Key: key }));
    await preparation.ready.commit({ etag: ETag.replaceAll('"', '') });
    expect((await opened(mode, key, (await world.read(TARGET_BUCKET, key)).bytes)).plaintext.length).toBe(500);
  });
});

test('a disabled key is told by name, and nothing is stored', async () => {
  const { keyArn, disable } = await world.newKey();
  await disable();
  const ref = await world.drop('disabled', randomBytes(5_000));
  const encryption = { ...world.encryptions['cse-kms'], keyArn };
  const asked: (string | undefined)[] = [];
  const s3 = world.sandbox.connect();
  s3.middlewareStack.add((next, context) => (args) => {
    asked.push(context.commandName);
    return next(args);
  });
  await expect(prepareCopy({ ...world.deps, s3 }, world.job(ref, 'cse-kms', { encryption }))).rejects.toMatchObject({
    code: 'kms-key-disabled',
  });
  expect(await world.uploads('disabled')).toEqual([]);
  // A body that nobody reads would hold its connection, and end the process where it breaks.
  expect(asked).toEqual(['HeadObjectCommand', 'GetObjectTaggingCommand']);
});

test('what finds no time any more was not tried, and is taken up by another function', async () => {
  const ref = await world.drop('late', randomBytes(100));
  const preparation = await prepareCopy({ ...world.deps, stop: AbortSignal.abort() }, world.job(ref, 'cse-kms'));
  expect(preparation).toEqual({ unfinished: { uploadId: '', copiedParts: 0, parts: 0 } });
});

test('what had to wait and then found too little time was not tried either; what had all the time is late', async () => {
  const giveUp = new AbortController();
  const s3 = world.sandbox.connect();
  s3.middlewareStack.add((next, context) => (args) => {
    if (context.commandName === 'UploadPartCommand') giveUp.abort();
    return next(args);
  });
  const jobs = await Promise.all(
    ['first', 'second'].map(async (name) => world.job(await world.drop(`slots/${name}`, sample(20_000)), 'cse-kms')),
  );
  const sealer = { ...createSealer(world.kms), slots: pLimit(1) };
  const [first, second] = await Promise.allSettled(
    jobs.map((job) => prepareCopy({ ...world.deps, s3, sealer, signal: giveUp.signal }, job)),
  );
  expect(first).toMatchObject({ status: 'rejected', reason: { code: 'time-out' } });
  expect(second).toEqual({ status: 'fulfilled', value: { unfinished: { uploadId: '', copiedParts: 0, parts: 0 } } });
  for (const name of ['first', 'second']) expect(await world.uploads(`slots/${name}`)).toEqual([]);
});

test('a source that breaks off midway ends nothing but its own copy', async () => {
  const ref = await world.drop('broken', sample(20_000));
  const signal = AbortSignal.timeout(30);
  const s3 = world.sandbox.connect();
  s3.middlewareStack.add(
    (next) => async (args) => {
      const output = await next(args);
      const { Body } = output.output as { Body?: NodeJS.ReadableStream & { destroy(error: Error): void } };
      if (Body !== undefined) setImmediate(() => Body.destroy(Object.assign(new Error('broken'), { code: 'ECONNRESET' })));
      return output;
    },
    { step: 'initialize', priority: 'high' },
  );
  await expect(prepareCopy({ ...world.deps, s3, signal }, world.job(ref, 'cse-aes'))).rejects.toMatchObject({ retryable: true });
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await world.uploads('broken')).toEqual([]);
});

test('a reused data key asks KMS once, and its messages say nothing of their keys', async () => {
  const asked: unknown[] = [];
  world.kms.middlewareStack.add((next, context) => (args) => {
    asked.push(context.commandName);
    return next(args);
  });
  const encryption = { ...world.encryptions['cse-kms'], reuseDataKey: true };
  for (const key of ['reused/1', 'reused/2', 'reused/3']) {
    const stored = await world.copied(world.job(await world.drop(key, sample(700)), 'cse-kms', { encryption }));
    const reader = byteReader(whole((await world.read(TARGET_BUCKET, key)).bytes));
    const head = await readHead(reader);
    expect(head.context).toEqual({ sealdrop: 'cse', bucket: TARGET_BUCKET });
    expect(head.messageId).toBe(stored.envelope?.messageId);
  }
  expect(asked).toEqual(['GenerateDataKeyCommand']);
});
