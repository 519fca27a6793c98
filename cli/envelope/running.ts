/** What `sealdrop encrypt` and `sealdrop decrypt` have around their work. */
import type { CommandContext } from '../command.ts';
import type { Interruption } from '../interruption.ts';
import { type ByteProgress, startByteProgress } from '../terminal.ts';
import { type Aws, openAws } from './aws.ts';
import { failureOf } from './failure-of.ts';
import { type Place, placeText } from './place.ts';
import { type AllDone, failedText, jsonOfAll, jsonOfOne, type OneDone, textOfAll, textOfOne } from './report.ts';
import { Incomplete } from './standard-output.ts';

export const ALL_DONE = 0;
export const NOT_ALL_DONE = 1;

interface Asked {
  region: string | undefined;
  source: Place;
  target: Place;
  json: boolean;
}

/** @param work gives the exit code @throws Failure, CannotLook, and what nobody foresaw */
export async function withAws(
  asked: Asked,
  command: CommandContext,
  interruption: Interruption,
  work: (aws: Aws) => Promise<number>,
): Promise<number> {
  const aws = openAws(asked.region);
  try {
    return await work(aws);
  } catch (error) {
    if (interruption.code === null) throw failureOf(error, placeText(asked.source, 'standard input'));
    command.err(interruptedText(asked.target, error));
    return interruption.code;
  } finally {
    aws.close();
  }
}

function interruptedText(target: Place, error: unknown): string {
  if (error instanceof Incomplete) return `Interrupted. ${error.left}`;
  return target.kind === 's3' ? 'Interrupted before S3 said that it has the object.' : 'Interrupted. Nothing of it was kept.';
}

/** A bar while one thing flows; nothing of it stays. */
export async function watched<Result>(
  label: string,
  work: (watch: (total: number | null) => (bytes: number) => void) => Promise<Result>,
): Promise<Result> {
  const bars: ByteProgress[] = [];
  try {
    return await work((total) => {
      const bar = startByteProgress(label, total);
      bars.push(bar);
      return (bytes) => bar.update(bytes);
    });
  } finally {
    for (const bar of bars) bar.clear();
  }
}

/** Standard output is for either the bytes or what is said of them. */
export function tellOne({ target, json }: Asked, command: CommandContext, done: OneDone): void {
  if (target.kind === 'pipe') command.err(textOfOne(done));
  else command.out(json ? jsonOfOne(done) : textOfOne(done));
}

/** @returns the exit code */
export function tellAll({ json }: Asked, command: CommandContext, { code }: Interruption, done: AllDone, asked: number): number {
  if (done.failed.length > 0) command.err(failedText(done.failed));
  if (code !== null) command.err(`Interrupted. ${done.files} of ${asked} files are done.`);
  command.out(json ? jsonOfAll(done, code === null) : textOfAll(done));
  return code ?? (done.failed.length === 0 ? ALL_DONE : NOT_ALL_DONE);
}
