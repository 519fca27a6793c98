import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { bearsTraces, openMessage } from '../../src/s3-encryption-client/index.ts';
import { collect, expectSame, inChunksOf, read, readerDeps, sourceOf, whole } from './reading.ts';
import { KINDS, type Kind, LEGACY_KINDS, nameOf, write } from './write.ts';

const KIB = 1024;
const SIZES = [0, 1, 15, 16, 17, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, KIB * KIB];
const ALL = [...KINDS.map((kind) => ({ kind, legacy: false })), ...LEGACY_KINDS.map((kind) => ({ kind, legacy: true }))];

describe.each(ALL.map((each) => ({ ...each, name: nameOf(each.kind) })))('$name', ({ kind, legacy }) => {
  describe.each(['metadata', 'instruction file'] as const)('described in %s', (place) => {
    it.each(SIZES)('gives back %i bytes', async (size) => {
      const plaintext = randomBytes(size);
      const written = write(kind, { plaintext, place });
      expectSame(await read(written, { legacy }), plaintext);
      expectSame(await read(written, { legacy }, inChunksOf(1, 16, 7, 4099)), plaintext);
    });
  });

  it.each([0, 1, 15, 16, 17, 33])('gives back %i bytes that come byte by byte', async (size) => {
    const plaintext = randomBytes(size);
    expectSame(await read(write(kind, { plaintext }), { legacy }, inChunksOf(1)), plaintext);
  });

  it('tells format, size and what the application wrote beside it', async () => {
    const application = { author: 'Zoe', 'x-amz-own': 'kept', 'title-of-it': '=?UTF-8?B?w4PCqQ==?=' };
    const written = write(kind, { plaintext: randomBytes(100), application });
    const message = await openMessage(sourceOf(written), readerDeps(written, { legacy }));
    expect(message).toMatchObject({ format: kind.format, size: kind.content === 'cbc' ? null : 100 });
    expect(message?.metadata).toEqual(application);
    expect(bearsTraces(written.metadata)).toBe(true);
  });

  it('decrypts as often as it is asked', async () => {
    const plaintext = randomBytes(50);
    const written = write(kind, { plaintext });
    const message = await openMessage(sourceOf(written), readerDeps(written, { legacy }));
    if (message === null) throw new Error('not opened');
    for (const arriving of [whole, inChunksOf(3)]) expectSame(await collect(message.decrypt(arriving(written.ciphertext))), plaintext);
  });

  it('does not ask for an instruction file when metadata holds all', async () => {
    const written = write(kind, { plaintext: randomBytes(9) });
    const readInstructionFile = () => Promise.reject(new Error('asked'));
    expect(await openMessage(sourceOf(written), readerDeps(written, { legacy, readInstructionFile }))).not.toBeNull();
  });
});

it('yields plaintext before the last byte came', async () => {
  const [kind] = KINDS as [Kind];
  const written = write(kind, { plaintext: randomBytes(1000) });
  const message = await openMessage(sourceOf(written), readerDeps(written));
  const first = await message?.decrypt(inChunksOf(100)(written.ciphertext)).next();
  expect(first?.value).toHaveLength(100);
});

it('takes an object without a trace for one that is not encrypted', async () => {
  const source = { bucket: 'ingest', key: 'plain.txt', size: 5, metadata: { author: 'Zoe', 'x-amz-meta': 'own' } };
  expect(await openMessage(source, readerDeps({ instructionFile: null }))).toBeNull();
  expect(bearsTraces(source.metadata)).toBe(false);
});

it('passes a failure of the source and of the instruction file on as it is', async () => {
  const [kind] = KINDS as [Kind];
  const written = write(kind, { plaintext: randomBytes(100) });
  const failure = new Error('connection reset');
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield written.ciphertext.subarray(0, 10);
    throw failure;
  }
  await expect(read(written, {}, failing)).rejects.toBe(failure);
  const beside = write(kind, { plaintext: randomBytes(100), place: 'instruction file' });
  await expect(read(beside, { readInstructionFile: () => Promise.reject(failure) })).rejects.toBe(failure);
});
