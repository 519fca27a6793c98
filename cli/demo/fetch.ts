/** Every file back through the API, as a consumer gets it, compared with the original. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pMap from 'p-map';
import type { StackClients } from '../../local/clients.ts';
import type { DroppedFile } from './find-files.ts';

const PARALLEL_DOWNLOADS = 8;

export type Fetched = { identical: true } | { identical: false; reason: string };

/** In the order of `files`. */
export async function fetchAndCompare(files: DroppedFile[], clients: StackClients, update: (done: number) => void): Promise<Fetched[]> {
  let done = 0;
  const compare = async (file: DroppedFile): Promise<Fetched> => {
    const result = await fetchOne(file, clients).catch((error: unknown) => differs(error instanceof Error ? error.message : String(error)));
    done += 1;
    update(done);
    return result;
  };
  return pMap(files, compare, { concurrency: PARALLEL_DOWNLOADS });
}

async function fetchOne(file: DroppedFile, { apiUrl, token }: StackClients): Promise<Fetched> {
  const path = file.key.split('/').map(encodeURIComponent).join('/');
  const answer = await fetch(`${apiUrl}/objects/${path}`, { headers: { authorization: `Bearer ${token}` } });
  if (answer.status !== 200) return differs(`HTTP ${answer.status}: ${await answer.text()}`);
  const [returned, original] = await Promise.all([
    answer.body === null ? digest(Readable.from([])) : digest(Readable.fromWeb(answer.body)),
    file.size === 0 ? digest(Readable.from([])) : digest(createReadStream(file.path, { end: file.size - 1 })),
  ]);
  return returned === original ? { identical: true } : differs('the bytes differ');
}

async function digest(stream: Readable): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(stream, hash);
  return hash.digest('hex');
}

function differs(reason: string): Fetched {
  return { identical: false, reason };
}
