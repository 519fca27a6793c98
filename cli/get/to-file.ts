/** An object into a file, parts side by side. */
import type { Api } from '../api/api.ts';
import { startVerification } from './checksum.ts';
import { fetchPart } from './fetch-part.ts';
import type { Downloaded, DownloadOptions } from './options.ts';
import { openPartFile, type PartFile } from './part-file.ts';
import type { RemoteObject } from './remote-object.ts';
import { otherBytes, Worthless } from './worthless.ts';

interface FileOptions extends DownloadOptions {
  overwrite: boolean;
}

/**
 * What is fetched and not proven stays beside the file, for the next run to go on with; nothing stays of what is of no use to it.
 * @throws Failure: Worthless (another state, other bytes), Refusal, Unanswered; what the file system says; the signal's reason
 */
export async function downloadToFile(api: Api, object: RemoteObject, file: string, options: FileOptions): Promise<Downloaded> {
  const part = await openPartFile(file, object, options.partBytes);
  try {
    await fetchMissing(api, object, part, options);
    const proof = await verify(object, part, options);
    await part.moveTo(file, options.overwrite);
    return { proof, resumedBytes: part.resumedBytes };
  } catch (error) {
    if (error instanceof Worthless) await part.discard();
    throw error;
  } finally {
    await part.close();
  }
}

/** Ends only when nobody writes any more. @throws what failed first */
async function fetchMissing(api: Api, object: RemoteObject, file: PartFile, { parallel, signal, progress }: FileOptions): Promise<void> {
  const shown = progress('fetching', object.length, file.resumedBytes);
  let bytes = file.resumedBytes;
  const count = (more: number) => {
    bytes += more;
    shown.update(bytes);
  };
  const stop = new AbortController();
  const ended = AbortSignal.any([signal, stop.signal]);
  const failures: unknown[] = [];
  const missing = file.missing();

  const worker = async () => {
    try {
      for (const part of missing) {
        ended.throwIfAborted();
        await fetchPart(api, object, part, (chunk, offset) => file.write(chunk, part.first + offset), { signal: ended, count });
        file.finished(part);
      }
    } catch (error) {
      failures.push(error);
      stop.abort();
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  shown.clear();
  await file.recorded();
  if (failures.length > 0) throw failures[0];
}

async function verify(object: RemoteObject, file: PartFile, { signal, progress }: FileOptions) {
  const shown = progress('checking', object.length, 0);
  const verification = startVerification(object);
  let bytes = 0;
  for await (const chunk of file.read()) {
    signal.throwIfAborted();
    verification.update(chunk);
    bytes += chunk.length;
    shown.update(bytes);
  }
  shown.clear();
  const proof = await verification.end();
  if (proof === null) throw otherBytes(object);
  return proof;
}
