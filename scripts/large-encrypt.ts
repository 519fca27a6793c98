/**
 * `npm run large-encrypt [-- --gib 2] [--part-mib 8] [--data FOLDER]`: a large stream that is never on a disk goes by `sealdrop encrypt - s3://…` into a sandbox,
 * and by `sealdrop decrypt s3://… -` out of it. Compares SHA-256, and fails where a command needs more memory than a stream should.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createCipheriv, createHash, type Hash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { CreateKeyCommand } from '@aws-sdk/client-kms';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { startLocalServer } from '../bench/local-server.ts';
import { stackClients } from '../local/clients.ts';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const CHUNK_BYTES = MIB;
const POLICY = 'test/e2e/policy.yml';
const BUCKET = 'sealdrop-large-encrypt';
/** Parts on their way, frames, and what the collector has not collected yet. */
const MOST_ABOVE_IDLE_MIB = 128;
const SAMPLE_MS = 50;
const BAR_WIDTH = 30;

const { values } = parseArgs({
  options: {
    gib: { type: 'string', default: '2' },
    data: { type: 'string', default: tmpdir() },
    'part-mib': { type: 'string', default: '8' },
  },
});
process.exitCode = await main(Math.round(Number(values.gib) * GIB), values.data, values['part-mib']);

/** @returns 0: what came is what went, in little memory */
async function main(size: number, below: string, partMib: string): Promise<number> {
  const { bavail, bsize } = statfsSync(below);
  // The parts, and the object that is made of them.
  if (bavail * bsize < 2 * size + GIB)
    throw new Error(`${below} has less than ${Math.ceil((2 * size) / GIB) + 1} GiB of room; --data names another folder`);
  const server = await startLocalServer(POLICY, below);
  const commands = new Set<ChildProcess>();
  const stop = async () => {
    for (const command of commands) command.kill('SIGTERM');
    await server.stop();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop().finally(() => process.exit(1)));
  try {
    const { s3, kms } = stackClients(server.environment);
    await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
    const keyArn = (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
    const sealdrop = (...args: string[]) => start(args, server.environment, commands);

    const encryptTo = (key: string) => sealdrop('encrypt', '-', `s3://${BUCKET}/${key}`, '--kms-key', keyArn, '--part-mib', partMib);
    const idle = await encrypted(encryptTo('idle'), 1, null);
    console.log(`idle: sealdrop encrypt of 1 byte took at most ${idle.peakMiB.toFixed(0)} MiB`);
    const sent = await encrypted(encryptTo('large'), size, 'encrypting');
    tell('sealdrop encrypt', size, sent, idle);
    const came = await decrypted(sealdrop('decrypt', `s3://${BUCKET}/large`, '-'), size);
    tell('sealdrop decrypt', size, came, idle);

    const isSame = came.sha256 === sent.sha256;
    const isSmall = [sent, came].every(({ peakMiB }) => peakMiB <= idle.peakMiB + MOST_ABOVE_IDLE_MIB);
    console.log(`${isSame ? 'ok   ' : 'WRONG'} SHA-256 ${came.sha256}`);
    console.log(`${isSmall ? 'ok   ' : 'WRONG'} at most ${MOST_ABOVE_IDLE_MIB} MiB above idle`);
    return isSame && isSmall ? 0 : 1;
  } finally {
    await stop();
  }
}

interface Run {
  seconds: number;
  /** Of the command's own process. */
  peakMiB: number;
  sha256: string;
}

interface Started {
  child: ChildProcess;
  /** Stops looking. @returns MiB */
  peak(): number;
  ended: Promise<void>;
}

async function encrypted({ child, peak, ended }: Started, size: number, label: string | null): Promise<Run> {
  if (child.stdin === null) throw new Error('the command has no input');
  const hash = createHash('sha256');
  const started = performance.now();
  const chunks = Readable.from(streamOf(size), { objectMode: false });
  await Promise.all([pipeline(chunks, watched(label, size, hash), child.stdin), ended]);
  return { seconds: (performance.now() - started) / 1000, peakMiB: peak(), sha256: hash.digest('hex') };
}

async function decrypted({ child, peak, ended }: Started, size: number): Promise<Run> {
  if (child.stdout === null) throw new Error('the command has no output');
  const hash = createHash('sha256');
  const started = performance.now();
  const through = watched('decrypting', size, hash);
  await Promise.all([pipeline(child.stdout, through.resume()), ended]);
  return { seconds: (performance.now() - started) / 1000, peakMiB: peak(), sha256: hash.digest('hex') };
}

/** The same bytes every time, none of them like those before. */
function* streamOf(size: number): Generator<Buffer> {
  const random = createCipheriv('aes-128-ctr', Buffer.alloc(16, 1), Buffer.alloc(16, 2));
  for (let at = 0; at < size; at += CHUNK_BYTES) yield random.update(Buffer.alloc(Math.min(CHUNK_BYTES, size - at)));
}

/** Passes bytes on, digests them, and draws a bar where somebody watches. */
function watched(label: string | null, size: number, hash: Hash): Transform {
  const out = process.stderr;
  const isSeen = label !== null && out.isTTY;
  const started = performance.now();
  let bytes = 0;
  let drawn = 0;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      hash.update(chunk);
      bytes += chunk.length;
      if (isSeen && performance.now() - drawn > SAMPLE_MS) {
        drawn = performance.now();
        const filled = Math.round((bytes / size) * BAR_WIDTH);
        const rate = bytes / 1000 / (drawn - started);
        out.write(
          `\r\x1b[2K${label} ${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ${(bytes / GIB).toFixed(2)} GiB, ${rate.toFixed(0)} MB/s`,
        );
      }
      done(null, chunk);
    },
    flush(done) {
      if (isSeen) out.write('\r\x1b[2K');
      done();
    },
  });
}

/** As a shell starts it; the process that works is the child of the one that is started. */
function start(args: string[], environment: Record<string, string>, commands: Set<ChildProcess>): Started {
  const child = spawn(process.execPath, ['bin/sealdrop.js', ...args], {
    env: { ...process.env, ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  commands.add(child);
  const said: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
  // What encrypt says of its end.
  if (args[0] === 'encrypt') child.stdout.resume();
  let most = 0;
  const timer = setInterval(() => {
    for (const pid of childrenOf(child.pid ?? 0)) most = Math.max(most, peakMiB(pid));
  }, SAMPLE_MS);
  const ended = once(child, 'close').then(([code]) => {
    commands.delete(child);
    clearInterval(timer);
    if (code !== 0) throw new Error(`sealdrop ${args[0]} ended with ${code}: ${Buffer.concat(said).toString()}`);
  });
  return { child, ended, peak: () => most };
}

function childrenOf(pid: number): number[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.flatMap((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number));
  } catch {
    // It has ended.
    return [];
  }
}

/** Highest resident memory so far. */
function peakMiB(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

function tell(what: string, size: number, { seconds, peakMiB: peak }: Run, idle: Run): void {
  const rate = `${(size / 1e6 / seconds).toFixed(0)} MB/s`;
  const memory = `at most ${peak.toFixed(0)} MiB, ${(peak / idle.peakMiB).toFixed(2)} times idle`;
  console.log(`${what}: ${(size / GIB).toFixed(1)} GiB in ${seconds.toFixed(1)} s (${rate}); ${memory}`);
}
