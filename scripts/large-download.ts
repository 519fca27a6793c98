/**
 * `npm run large-download [-- --gib 1] [--data FOLDER]`: one large object under SSE-C by every way that it can come: `sealdrop get`, curl by
 * ranges, and the redirect to a copy in transit that any client follows. Each is compared with what was dropped.
 */
import { execFile } from 'node:child_process';
import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { startLocalServer } from '../bench/local-server.ts';

const run = promisify(execFile);
const GIB = 1024 ** 3;
const CHUNK_BYTES = 1024 ** 2;
/** Has a prefix under SSE-C whose objects may go by a copy in transit. */
const POLICY = 'test/e2e/transit.yml';
const KEY = 'cards/large';
/** What one answer of the API streams. */
const RANGE_BYTES = 200_000_000;
/** Source, copy, copy in transit, what was dropped and what came of it, and what the sandbox itself takes. */
const diskBytes = (size: number) => 6 * size + GIB;

const { values } = parseArgs({ options: { gib: { type: 'string', default: '1' }, data: { type: 'string', default: tmpdir() } } });
process.exitCode = await main(Math.round(Number(values.gib) * GIB), values.data);

/** @returns 0: each way brought what was dropped */
async function main(size: number, below: string): Promise<number> {
  const { bavail, bsize } = statfsSync(below);
  if (bavail * bsize < diskBytes(size))
    throw new Error(`${below} has less than ${Math.ceil(diskBytes(size) / GIB)} GiB of room; --data names another folder`);
  const folder = mkdtempSync(join(below, 'sealdrop-large-'));
  const server = await startLocalServer(POLICY, below);
  const tidy = async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void tidy().finally(() => process.exit(1)));
  try {
    const env = { ...process.env, ...server.environment };
    const original = join(folder, 'original');
    await pipeline(Readable.from(randomChunks(size), { objectMode: false }), createWriteStream(original));
    const sent = await digest(original);
    const sealdrop = (...args: string[]) => run(process.execPath, ['bin/sealdrop.js', ...args], { env });
    await timed('sealdrop put', size, () => sealdrop('put', original, KEY, '--timeout', '600'));

    const { SEALDROP_API_URL = '', SEALDROP_TOKEN = '' } = server.environment;
    const url = `${SEALDROP_API_URL}/objects/${KEY}`;
    const authorization = `Authorization: Bearer ${SEALDROP_TOKEN}`;
    const curl = (...args: string[]) => run('curl', ['-sS', '--fail', '-H', authorization, ...args]);
    const ways: Record<string, (file: string) => Promise<unknown>> = {
      'sealdrop get': (file) => sealdrop('get', KEY, file),
      'curl, by ranges': async (file) => {
        for (let first = 0; first < size; first += RANGE_BYTES) {
          const part = `${file}.part`;
          await curl('-r', `${first}-${Math.min(size, first + RANGE_BYTES) - 1}`, '-o', part, url);
          await pipeline(createReadStream(part), createWriteStream(file, { flags: 'a' }));
        }
      },
      'curl -L, by a copy in transit': async (file) => {
        while ((await curl('-o', '/dev/null', '-w', '%{http_code}', url)).stdout === '202') await delay(1000);
        await curl('-L', '-o', file, url);
      },
    };
    let wrong = 0;
    for (const [what, fetchTo] of Object.entries(ways)) {
      const file = join(folder, 'fetched');
      await timed(what, size, () => fetchTo(file));
      const same = (await digest(file)) === sent;
      console.log(`${same ? 'ok   ' : 'WRONG'} SHA-256`);
      if (!same) wrong += 1;
      rmSync(file);
    }
    return wrong === 0 ? 0 : 1;
  } finally {
    await tidy();
  }
}

async function timed(what: string, size: number, work: () => Promise<unknown>): Promise<void> {
  const started = performance.now();
  await work();
  const seconds = (performance.now() - started) / 1000;
  console.log(`${what}: ${(size / GIB).toFixed(1)} GiB in ${seconds.toFixed(1)} s (${(size / 1e6 / seconds).toFixed(0)} MB/s)`);
}

function* randomChunks(size: number): Generator<Buffer> {
  const random = createCipheriv('aes-128-ctr', randomBytes(16), randomBytes(16));
  for (let at = 0; at < size; at += CHUNK_BYTES) yield random.update(Buffer.alloc(Math.min(CHUNK_BYTES, size - at)));
}

async function digest(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
