/** Many files, some at a time; one that fails does not end the others. */
import { Failure } from '../failure.ts';
import { startProgress } from '../terminal.ts';
import { failureOf } from './failure-of.ts';

/** Of large objects each holds some parts in memory. */
const PARALLEL = 4;

export interface Failed {
  name: string;
  failure: Failure;
}

export interface ManyDone {
  files: number;
  bytes: number;
  failed: Failed[];
}

/**
 * @param one does one of them @returns its bytes
 * @throws CannotLook, and what nobody foresaw: both are about all of them; the signal's reason
 */
export async function forEach(
  label: string,
  names: readonly string[],
  signal: AbortSignal,
  one: (name: string) => Promise<number>,
): Promise<ManyDone> {
  const done: ManyDone = { files: 0, bytes: 0, failed: [] };
  const progress = process.stderr.isTTY ? startProgress(label, names.length, process.stderr) : null;
  const fatal: unknown[] = [];
  const left = names.values();
  const worker = async () => {
    for (const name of left) {
      if (signal.aborted || fatal.length > 0) return;
      try {
        // Read after it was awaited: others add to the sum meanwhile.
        const bytes = await one(name);
        done.bytes += bytes;
        done.files += 1;
      } catch (error) {
        const failure = failureOf(error, name);
        if (signal.aborted) return;
        if (failure instanceof Failure) done.failed.push({ name, failure });
        else fatal.push(failure);
      }
      progress?.update(done.files + done.failed.length);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  progress?.finish(done.failed.length === 0 ? '' : `${done.failed.length} failed`);
  if (fatal.length > 0) throw fatal[0];
  done.failed.sort((a, b) => (a.name < b.name ? -1 : 1));
  return done;
}
