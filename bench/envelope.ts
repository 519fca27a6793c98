/**
 * Client-side encryption: sealing and opening streams against node:crypto's AES-256-GCM on the same buffers and against the Encryption SDK as it
 * comes, its memory, and a whole object through encrypt against S3's own copy of it.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { buildClient, CommitmentPolicy, RawAesKeyringNode, RawAesWrappingSuiteIdentifier } from '@aws-crypto/client-node';
import { secretKey } from '../src/encryption/index.ts';
import { aesOpeningKeys, aesSealingKeys, byteReader, readHead, sealMessage, unlock } from '../src/envelope/index.ts';
import type { CopyWorld } from './copy-world.ts';
import { compared, type Figure, median } from './measure.ts';

const SCENARIO = 'envelope';
const KIB = 1024;
const MIB = 1024 ** 2;
/** As they come from a socket. */
const CHUNK_BYTES = 64 * KIB;
const ROUNDS = 3;

const key = secretKey('bench', randomBytes(32));
const sealing = aesSealingKeys(key);
const opening = aesOpeningKeys({ version: async () => key });
const context = { sealdrop: 'cse', bucket: 'bucket', key: 'key' };

const sdk = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
const keyring = () =>
  new RawAesKeyringNode({
    keyNamespace: 'sealdrop',
    keyName: 'bench',
    unencryptedMasterKey: Uint8Array.from(key.material),
    wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
  });

type Ways = Record<'ours' | 'node' | 'sdk', (chunks: () => Iterable<Buffer>, bytes: number) => Promise<void>>;

/** @param most bytes of the largest stream */
export async function benchEnvelope(most = 1024 * MIB): Promise<Figure[]> {
  // First: what others leave in memory would hide what it takes.
  const figures = await memory(most);
  for (const [size, repeats] of [
    [KIB, 2_000],
    [MIB, 200],
    [most, 1],
  ] as const) {
    const chunks = () => plaintext(size);
    const message = size > 64 * MIB ? null : await collected((await sealMessage(toAsync(chunks()), { context, dataKeys: sealing })).chunks);
    figures.push(...(await compare(`seal ${named(size)}`, size, repeats, SEALING, chunks)));
    figures.push(
      ...(await compare(`open ${named(size)}`, size, repeats, await openingWays(size, message), () => cut(message ?? LARGE.bytes))),
    );
  }
  LARGE.bytes = NOTHING;
  return figures;
}

/** One buffer for all: what is encrypted makes no difference to AES. */
const PLAIN = randomBytes(CHUNK_BYTES);

function* plaintext(size: number): Generator<Buffer> {
  for (let left = size; left > 0; left -= CHUNK_BYTES) yield PLAIN.subarray(0, Math.min(left, CHUNK_BYTES));
}

/** Of the largest size, made once. */
const NOTHING: Buffer = Buffer.alloc(0);
const LARGE = { bytes: NOTHING };

const SEALING: Ways = {
  async ours(chunks, bytes) {
    await drained((await sealMessage(toAsync(chunks()), { context, dataKeys: sealing, plaintextBytes: bytes })).chunks);
  },
  async node(chunks) {
    const cipher = createCipheriv('aes-256-gcm', key.material, randomBytes(12));
    for (const chunk of chunks()) cipher.update(chunk);
    cipher.final();
    cipher.getAuthTag();
  },
  async sdk(chunks) {
    await pipeline(Readable.from(chunks()), sdk.encryptStream(keyring(), { encryptionContext: context }), nowhere());
  },
};

async function openingWays(size: number, message: Buffer | null): Promise<Ways> {
  if (message === null) LARGE.bytes = await collected((await sealMessage(toAsync(plaintext(size)), { context, dataKeys: sealing })).chunks);
  const cipher = createCipheriv('aes-256-gcm', key.material, Buffer.alloc(12));
  for (const chunk of plaintext(size)) cipher.update(chunk);
  cipher.final();
  const theirs =
    size > 64 * MIB ? null : (await sdk.encrypt(keyring(), Buffer.concat([...plaintext(size)]), { encryptionContext: context })).result;
  return {
    async ours(chunks) {
      const reader = byteReader(toAsync(chunks()));
      const { plaintext: clear } = await unlock(await readHead(reader), context, opening);
      await drained(clear(reader));
    },
    async node(chunks) {
      const decipher = createDecipheriv('aes-256-gcm', key.material, Buffer.alloc(12));
      for (const chunk of chunks()) decipher.update(chunk);
    },
    // What it wrote itself, by its own defaults; a gigabyte of them is opened as ours, in larger frames.
    async sdk(chunks) {
      const bytes = theirs === null ? chunks() : cut(theirs);
      await pipeline(Readable.from(bytes), sdk.decryptStream(keyring()), nowhere());
    },
  };
}

async function compare(what: string, size: number, repeats: number, ways: Ways, chunks: () => Iterable<Buffer>): Promise<Figure[]> {
  const speeds: Record<keyof Ways, number[]> = { ours: [], node: [], sdk: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const way of Object.keys(ways) as (keyof Ways)[]) {
      const count = way === 'sdk' ? Math.max(1, Math.floor(repeats / 10)) : repeats;
      const started = performance.now();
      for (let index = 0; index < count; index += 1) await ways[way](chunks, size);
      speeds[way].push((count * size) / 1e6 / ((performance.now() - started) / 1000));
    }
  }
  const ours = median(speeds.ours);
  return [
    compared(SCENARIO, what, 'MB/s', ours, { what: 'node:crypto AES-256-GCM', value: median(speeds.node) }),
    compared(SCENARIO, what, 'MB/s', ours, { what: 'the Encryption SDK by its defaults', value: median(speeds.sdk) }),
  ];
}

/** Resident at most above what was there before, of a stream that is kept nowhere. */
async function memory(size: number): Promise<Figure[]> {
  const allowed = { what: 'at most', value: 128 };
  const above = async (work: (watch: () => void) => Promise<void>) => {
    globalThis.gc?.();
    const before = process.memoryUsage.rss();
    let most = before;
    await work(() => {
      most = Math.max(most, process.memoryUsage.rss());
    });
    return (most - before) / MIB;
  };
  const sealed = await above(async (watch) => {
    const { chunks } = await sealMessage(toAsync(plaintext(size)), { context, dataKeys: sealing, plaintextBytes: size });
    for await (const _ of chunks) watch();
  });
  // Each frame is made as it is asked for, so that the message is nowhere as a whole.
  const both = await above(async (watch) => {
    const { chunks } = await sealMessage(toAsync(plaintext(size)), { context, dataKeys: sealing, plaintextBytes: size });
    const reader = byteReader(chunks);
    const { plaintext: clear } = await unlock(await readHead(reader), context, opening);
    for await (const _ of clear(reader)) watch();
  });
  return [
    compared(SCENARIO, `memory above idle, ${named(size)} sealed`, 'MiB', sealed, allowed),
    compared(SCENARIO, `memory above that, ${named(size)} sealed and opened at once`, 'MiB', both, allowed),
  ];
}

const SEALED = 'sealed/';
const COPIED = 'files/';
const REUSED = 'reused/';

/** Through encrypt, S3 and KMS of the sandbox. */
export async function benchSealedCopies(world: CopyWorld): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const size of [10 * KIB, 10 * MIB, 256 * MIB]) {
    const seconds: Record<string, number[]> = { [SEALED]: [], [COPIED]: [] };
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const prefix of [SEALED, COPIED]) {
        const source = await world.drop(`${prefix}${size}-${round}`, size);
        seconds[prefix]?.push(await world.encrypt([source]));
        await world.remove(source.key);
      }
    }
    const speed = (prefix: string) => size / 1e6 / median(seconds[prefix] ?? []);
    figures.push(
      compared(SCENARIO, `cse-kms through encrypt, ${named(size)}`, 'MB/s', speed(SEALED), {
        what: 'copied by S3 under SSE-KMS',
        value: speed(COPIED),
      }),
    );
  }
  const asked = async (prefix: string) => {
    const COUNT = 1_000;
    let calls = 0;
    const unsubscribe = world.faults.observe(({ phase, service, operation }) => {
      if (phase === 'before' && service === 'kms' && operation === 'GenerateDataKey') calls += 1;
    });
    for (let batch = 0; batch < COUNT / 10; batch += 1) {
      const objects = await Promise.all(Array.from({ length: 10 }, (_, index) => world.drop(`${prefix}calls/${batch}-${index}`, KIB)));
      await world.encrypt(objects);
    }
    unsubscribe();
    return calls;
  };
  const naive = await asked(SEALED);
  figures.push(
    compared(SCENARIO, 'reuseDataKey: KMS calls for 1,000 objects', 'calls', await asked(REUSED), { what: 'without it', value: naive }),
  );
  return figures;
}

function named(bytes: number): string {
  if (bytes >= KIB ** 3) return `${bytes / KIB ** 3} GiB`;
  return bytes >= MIB ? `${bytes / MIB} MiB` : `${bytes / KIB} KiB`;
}

async function* toAsync(chunks: Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield* chunks;
}

function* cut(bytes: Uint8Array): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES)
    yield Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(CHUNK_BYTES, bytes.length - at));
}

async function collected(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

async function drained(chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of chunks);
}

const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() });
