/** `npx sealdrop put`: a file into the ingest bucket, followed until it is encrypted. */
import type { S3Client } from '@aws-sdk/client-s3';
import type { CommandContext } from './command.ts';
import { Failure } from './failure.ts';
import type { Interruption } from './interruption.ts';
import { plainCommand } from './plain-command.ts';
import { type PutArguments, readArguments, USAGE } from './put/arguments.ts';
import { follow } from './put/follow.ts';
import { createUploadClient, currentVersionOf, ingestBucketOf, putFailure } from './put/ingest.ts';
import type { PutState } from './put/judge.ts';
import { droppedText, fateText, isWell, jsonFailure, jsonReport, type Outcome, type Put } from './put/report.ts';
import { openFile, openStream, STDIN } from './put/source.ts';
import { type Dropped, upload } from './put/upload.ts';
import { openWatch, type Watch } from './put/watch.ts';
import { startByteProgress } from './terminal.ts';

const WELL = 0;
const NOT_ENCRYPTED = 1;

export const put = plainCommand<PutArguments>({
  usage: USAGE,
  read: readArguments,
  jsonFailure,
  async run(asked, command, interruption) {
    const watch = asked.wait ? await openWatch(asked, command.env, interruption.signal) : null;
    const s3 = createUploadClient(asked.region);
    try {
      return await putAndFollow(asked, command, { s3, watch, interruption });
    } finally {
      watch?.api.close();
      s3.destroy();
    }
  },
});

interface Surroundings {
  s3: S3Client;
  /** `null`: nobody waits. */
  watch: Watch | null;
  interruption: Interruption;
}

async function putAndFollow(asked: PutArguments, command: CommandContext, { s3, watch, interruption }: Surroundings): Promise<number> {
  const { key, json, timeoutMs } = asked;
  const { signal } = interruption;
  const bucket = await ingestBucketOf(asked, command.env);
  const started = performance.now();
  const begunAt = watch?.now() ?? 0;
  const dropped = await drop(asked, bucket, s3, signal).catch((error: unknown) => {
    if (interruption.code === null) throw putFailure(error, bucket, key);
  });
  if (dropped === undefined) {
    command.err('Interrupted before S3 said that it has the file.');
    return interruption.code ?? NOT_ENCRYPTED;
  }
  const ended = performance.now();
  const half = { bucket, key, dropped, uploadMs: ended - started };
  if (!json) command.out(droppedText(half));
  let outcome: Outcome = { kind: 'not followed' };
  if (watch !== null) {
    const state: PutState = { ...dropped, begunAt, doneAt: watch.now() };
    const currentVersion = () => currentVersionOf(s3, bucket, key);
    outcome = await follow(watch.api, key, state, { timeoutMs, signal, currentVersion }).catch((error: unknown): Outcome => {
      if (error instanceof Failure) return { kind: 'lost', failure: error };
      if (interruption.code === null) throw error;
      return { kind: 'not followed' };
    });
  }
  const done: Put = { ...half, outcome, followedMs: performance.now() - ended };
  if (json) command.out(jsonReport(done));
  else if (watch !== null) command.out(fateText(done));
  return interruption.code ?? (isWell(done) ? WELL : NOT_ENCRYPTED);
}

async function drop(asked: PutArguments, bucket: string, s3: S3Client, signal: AbortSignal): Promise<Dropped> {
  const source = asked.file === STDIN ? openStream(process.stdin) : await openFile(asked.file);
  // Who waits for standard input waits for somebody else.
  signal.addEventListener('abort', () => void source.close(), { once: true });
  const progress = startByteProgress('putting', source.size);
  let sent = 0;
  const count = (bytes: number) => {
    sent += bytes;
    progress.update(sent);
  };
  try {
    return await upload(s3, { ...asked, bucket }, source, { partBytes: asked.partBytes, signal, count });
  } finally {
    progress.clear();
    await source.close();
  }
}
