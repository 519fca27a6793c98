/** Sources that the S3 Encryption Client wrote, through the sandbox's S3, into every mode. */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { HeadObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CopyDeps, CopyJob } from '../../src/copy/copy-job.ts';
import { prepareCopy } from '../../src/copy/prepare-copy.ts';
import type { EncryptionMode } from '../../src/policy/schema.ts';
import { CLIENT_SIDE_MODES, MODES } from '../fixtures/objects.ts';
import { type Kind, WRAPPING_KEY, type Written, write } from '../s3-encryption-client/write.ts';
import { type CopyWorld, copyWorld, PART_BYTES, SOURCE_BUCKET, TARGET_BUCKET, UP_TO_BYTES } from './copy-world.ts';

let world: CopyWorld;
let deps: CopyDeps;
beforeAll(async () => {
  world = await copyWorld();
  const decryptor = { kms: world.kms, kmsKeyArns: [], wrappingKey: async () => WRAPPING_KEY, legacy: false, upToBytes: UP_TO_BYTES };
  deps = { ...world.deps, decryptor };
});
afterAll(async () => {
  expect(world.sandbox.defects).toEqual([]);
  await world.stop();
});

const V3: Kind = { format: 'V3', content: 'committing', wrapping: 'AES/GCM' };
const V2: Kind = { format: 'V2', content: 'gcm', wrapping: 'AES/GCM' };
const V1: Kind = { format: 'V1', content: 'cbc', wrapping: 'AES' };
const ALL_MODES: EncryptionMode[] = [...MODES, ...CLIENT_SIDE_MODES];

const job = (ref: CopyJob['ref'], mode: EncryptionMode) => world.job(ref, mode, { decrypt: 's3-encryption-client' });

async function dropped(key: string, { metadata, instructionFile, ciphertext }: Written) {
  if (instructionFile !== null) {
    const Metadata = { 'x-amz-crypto-instr-file': '' };
    await world.drop(`${key}.instruction`, instructionFile, { Metadata });
  }
  return world.drop(key, ciphertext, { Metadata: metadata, ContentType: 'text/plain', Tagging: 'class=old' });
}

async function nothingAt(key: string) {
  expect(await world.uploads(key)).toEqual([]);
  const { Contents = [] } = await world.client.send(new ListObjectsV2Command({ Bucket: TARGET_BUCKET, Prefix: key }));
  expect(Contents).toEqual([]);
}

describe.each(ALL_MODES)('under %s', (mode) => {
  test.each([
    ['V3', 0],
    ['V3', 1],
    ['V2', PART_BYTES - 1],
    ['V2', PART_BYTES],
    ['V3', 5 * PART_BYTES + 1],
  ] as const)('%s of %i bytes arrives as the plaintext that it was, with all that the application said of it', async (format, size) => {
    const plaintext = randomBytes(size);
    const key = `${mode}/${format}/${size}`;
    const written = write(format === 'V3' ? V3 : V2, { plaintext, application: { owner: 'pat' } });
    const stored = await world.copied(job(await dropped(key, written), mode), deps);
    const { bytes, head, tags } = await world.read(TARGET_BUCKET, key, mode);
    expect(bytes.equals(plaintext)).toBe(true);
    expect(head).toMatchObject({ Metadata: { owner: 'pat' }, ContentType: 'text/plain' });
    expect(tags).toEqual([{ Key: 'class', Value: 'old' }]);
    expect(stored).toMatchObject({ proof: 'streamed', size });
    expect(stored.envelope === undefined).toBe(!(CLIENT_SIDE_MODES as EncryptionMode[]).includes(mode));
    expect(await world.uploads(key)).toEqual([]);
  });

  test('an instruction file says how its object is encrypted, and is copied as it is', async () => {
    const plaintext = randomBytes(2_000);
    const key = `${mode}/beside`;
    const written = write(V2, { plaintext, place: 'instruction file' });
    await world.copied(job(await dropped(key, written), mode), deps);
    expect((await world.read(TARGET_BUCKET, key, mode)).bytes.equals(plaintext)).toBe(true);

    const instruction = `${key}.instruction`;
    const ref = await world.drop(instruction, written.instructionFile ?? '', { Metadata: { 'x-amz-crypto-instr-file': '' } });
    await world.copied(job(ref, mode), deps);
    expect((await world.read(TARGET_BUCKET, instruction, mode)).bytes.toString()).toBe(written.instructionFile);
  });

  test.each([500, 4 * PART_BYTES])('a changed bit among %i bytes is found at the end, and nothing of it is to be seen', async (size) => {
    const key = `${mode}/changed/${size}`;
    const written = write(V3, { plaintext: randomBytes(size) });
    written.ciphertext[10] = (written.ciphertext[10] ?? 0) ^ 1;
    await expect(prepareCopy(deps, job(await dropped(key, written), mode))).rejects.toMatchObject({
      code: 'source-not-decryptable',
      retryable: false,
    });
    await nothingAt(key);
  });

  test('more than policy takes is refused before a byte is read', async () => {
    const ref = await world.drop(`${mode}/large`, randomBytes(UP_TO_BYTES + 1));
    await expect(prepareCopy(deps, job(ref, mode))).rejects.toMatchObject({ code: 'too-large-for-rule' });
  });
});

test('a source without a trace of the client waits for its instruction file, and is never copied as it is', async () => {
  const written = write(V2, { plaintext: Buffer.from('late'), place: 'instruction file' });
  const ref = await world.drop('late', written.ciphertext);
  await expect(prepareCopy(deps, job(ref, 'sse-kms'))).rejects.toMatchObject({ code: 'envelope-missing', retryable: true });
  await nothingAt('late');
  await world.drop('late.instruction', written.instructionFile ?? '', { Metadata: { 'x-amz-crypto-instr-file': '' } });
  await world.copied(job(ref, 'sse-kms'), deps);
  expect((await world.read(TARGET_BUCKET, 'late')).bytes.toString()).toBe('late');
});

test('the oldest formats are taken only where policy says so', async () => {
  const ref = await dropped('old', write(V1, { plaintext: Buffer.from('as it was') }));
  await expect(prepareCopy(deps, job(ref, 'cse-kms'))).rejects.toMatchObject({ code: 'source-not-decryptable' });
  const legacy = { ...deps, ...(deps.decryptor && { decryptor: { ...deps.decryptor, legacy: true } }) };
  const stored = await world.copied(job(ref, 'cse-kms'), legacy);
  expect((await world.read(TARGET_BUCKET, 'old', 'cse-kms')).bytes.toString()).toBe('as it was');
  expect(stored.size).toBe(9);
});

describe('an object that is called as an instruction file is', () => {
  const KIB_64 = 64 * 1024;
  const large = () => ({ ...deps, ...(deps.decryptor && { decryptor: { ...deps.decryptor, upToBytes: 2 * KIB_64 } }) });
  const { instructionFile } = write(V2, { plaintext: randomBytes(9), place: 'instruction file' });
  const text = (size: number) => (instructionFile ?? '').padEnd(size);

  test('is one as far as its text reaches, and no further', async () => {
    const longest = await world.drop('longest.instruction', text(KIB_64));
    await world.copied(job(longest, 'sse-kms'), large());
    expect((await world.read(TARGET_BUCKET, 'longest.instruction')).bytes).toHaveLength(KIB_64);
    const longer = await world.drop('longer.instruction', text(KIB_64 + 1));
    await expect(prepareCopy(large(), job(longer, 'sse-kms'))).rejects.toMatchObject({ code: 'envelope-missing' });
  });

  test('is opened by an instruction file of its own above that', async () => {
    const plaintext = randomBytes(KIB_64 + 1);
    const ref = await dropped('large.instruction', write(V2, { plaintext, place: 'instruction file' }));
    await world.copied(job(ref, 'sse-kms'), large());
    expect((await world.read(TARGET_BUCKET, 'large.instruction')).bytes.equals(plaintext)).toBe(true);
  });

  test('is read in the state that the event named', async () => {
    const { versionId: _, ...ref } = await world.drop('swapped.instruction', text(1_000));
    const s3 = world.sandbox.connect();
    s3.middlewareStack.add((next, { commandName }) => async (args) => {
      if (commandName === 'GetObjectCommand') await world.drop('swapped.instruction', 'turn left');
      return next(args);
    });
    await expect(prepareCopy({ ...deps, s3 }, job(ref, 'sse-kms'))).rejects.toMatchObject({ code: 'source-changed', retryable: true });
  });
});

test('a marked object with a wrapped key of its own is refused, and never copied as it is', async () => {
  const written = write(V3, { plaintext: randomBytes(100) });
  const ref = await dropped('marked', { ...written, metadata: { ...written.metadata, 'x-amz-crypto-instr-file': '' } });
  await expect(prepareCopy(deps, job(ref, 'sse-kms'))).rejects.toMatchObject({ code: 'source-not-decryptable', retryable: false });
  await nothingAt('marked');
});

test.each([
  ['a connection that is reset', Object.assign(new Error('read'), { code: 'ECONNRESET' })],
  ['a checksum that does not match', new Error('Checksum mismatch: expected "a" but received "b"')],
])('%s within an instruction file heals', async (what, error) => {
  const ref = await dropped(what, write(V2, { plaintext: randomBytes(100), place: 'instruction file' }));
  const s3 = world.sandbox.connect();
  s3.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const answer = await next(args);
        if (commandName !== 'GetObjectCommand') return answer;
        async function* breaking() {
          yield Buffer.from('{');
          throw error;
        }
        return { ...answer, output: { ...(answer.output as object), Body: Readable.from(breaking()) } as typeof answer.output };
      },
    { step: 'initialize', priority: 'high' },
  );
  await expect(prepareCopy({ ...deps, s3 }, job(ref, 'sse-kms'))).rejects.toMatchObject({
    code: 'service-unavailable',
    retryable: true,
    object: { key: what },
  });
});

test('a source whose key leaves no room for the name of an instruction file has none', async () => {
  const written = write(V2, { plaintext: randomBytes(100), place: 'instruction file' });
  const suffix = '.instruction'.length;
  const fitting = await world.drop('k'.repeat(1024 - suffix), written.ciphertext);
  const longer = await world.drop('k'.repeat(1024 - suffix + 1), written.ciphertext);
  for (const ref of [fitting, longer])
    await expect(prepareCopy(deps, job(ref, 'sse-kms'))).rejects.toMatchObject({ code: 'envelope-missing', retryable: true });
});

test('where a rule decrypts nothing such a source is copied as it is', async () => {
  const written = write(V3, { plaintext: Buffer.from('kept shut') });
  const ref = await dropped('shut', written);
  await world.copied(world.job(ref, 'sse-s3'), deps);
  expect((await world.read(TARGET_BUCKET, 'shut')).bytes.equals(written.ciphertext)).toBe(true);
  const head = await world.client.send(new HeadObjectCommand({ Bucket: SOURCE_BUCKET, Key: 'shut' }));
  expect((await world.read(TARGET_BUCKET, 'shut')).head.Metadata).toEqual(head.Metadata);
});
