/** Many files, some at a time; one that fails does not end the others. */
import { CannotLook } from '../cannot-look.ts';
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
  /** Those that were not begun. */
  notTried: number;
}

/**
 * @param one does one of them @returns its bytes
 * @returns what was done; where AWS cannot be asked any more it is less than all
 * @throws CannotLook: none of them could be tried; what nobody foresaw
 */
export async function forEach(
  label: string,
  names: readonly string[],
  signal: AbortSignal,
  one: (name: string) => Promise<number>,
): Promise<ManyDone> {
  const done: ManyDone = { files: 0, bytes: 0, failed: [], notTried: names.length };
  const progress = process.stderr.isTTY ? startProgress(label, names.length, process.stderr) : null;
  const cannot: { name: string; cause: CannotLook }[] = [];
  const unforeseen: unknown[] = [];
  const left = names.values();
  const worker = async () => {
    for (const name of left) {
      if (signal.aborted || cannot.length + unforeseen.length > 0) return;
      done.notTried -= 1;
      try {
        // Read after it was awaited: others add to the sum meanwhile.
        const bytes = await one(name);
        done.bytes += bytes;
        done.files += 1;
      } catch (error) {
        const failure = failureOf(error, name);
        if (signal.aborted) return;
        if (failure instanceof Failure) done.failed.push({ name, failure });
        else if (failure instanceof CannotLook) cannot.push({ name, cause: failure });
        else unforeseen.push(failure);
      }
      progress?.update(done.files + done.failed.length);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  if (unforeseen.length > 0) throw unforeseen[0];
  const [first] = cannot;
  // What was done before is told.
  if (first !== undefined && done.files + done.failed.length === 0) throw first.cause;
  done.failed.push(...cannot.map(({ name, cause }) => ({ name, failure: new Failure(cause.message, { cause }) })));
  progress?.finish(done.failed.length === 0 ? '' : `${done.failed.length} failed`);
  done.failed.sort((a, b) => (a.name < b.name ? -1 : 1));
  return done;
}
