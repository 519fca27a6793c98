/** `npx sealdrop encrypt`: files and streams under the caller's own keys, into S3 or elsewhere. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { keyProblem } from '../src/events/object-key.ts';
import type { CommandContext } from './command.ts';
import type { Aws } from './envelope/aws.ts';
import { type EncryptArguments, readArguments, USAGE } from './envelope/encrypt-arguments.ts';
import { encryptOne, type Surroundings } from './envelope/encrypt-one.ts';
import { filesBelow, placeBelow } from './envelope/folder.ts';
import { forEach } from './envelope/many.ts';
import { type FilePlace, type Place, placeText } from './envelope/place.ts';
import { jsonFailure } from './envelope/report.ts';
import { ALL_DONE, tellAll, tellOne, watched, withAws } from './envelope/running.ts';
import { openSealing } from './envelope/sealing.ts';
import type { Help } from './envelope/shared-options.ts';
import { Failure } from './failure.ts';
import { destinationOf } from './get/destination.ts';
import type { Interruption } from './interruption.ts';
import { plainCommand } from './plain-command.ts';

export const encrypt = plainCommand<EncryptArguments | Help>({
  usage: USAGE,
  read: readArguments,
  jsonFailure,
  async run(asked, command, interruption) {
    if (asked.help) return ALL_DONE;
    const work = asked.recursive ? encryptFolder : encryptSingle;
    return withAws(asked, command, interruption, (aws) => work(asked, command, interruption, aws));
  },
});

async function encryptSingle(asked: EncryptArguments, command: CommandContext, { signal }: Interruption, aws: Aws): Promise<number> {
  const { source } = asked;
  const started = performance.now();
  const target = await singleTarget(asked);
  const sealing = await openSealing(asked.choice, aws);
  const { bytes, versionId } = await watched('encrypting', (watch) =>
    encryptOne(source, target, sealing, asked, surroundings(aws, signal), watch),
  );
  const way = { source: placeText(source, 'standard input'), target: placeText(target, 'standard output') };
  tellOne(asked, command, { ...way, bytes, versionId, encryption: sealing.about, ms: performance.now() - started });
  return ALL_DONE;
}

/** A folder takes a file under its own name. @throws Failure: no file may be put there */
async function singleTarget({ source, target, force }: EncryptArguments): Promise<Place> {
  if (target.kind !== 'file') return target;
  const name = source.kind === 'file' ? source.path : '';
  return { kind: 'file', path: await destinationOf(name, target.path, force, 'TARGET') };
}

async function encryptFolder(asked: EncryptArguments, command: CommandContext, interruption: Interruption, aws: Aws): Promise<number> {
  const { source, target } = asked;
  if (source.kind !== 'file') throw new TypeError('a folder was to be asked for');
  const started = performance.now();
  const { files, leftOut, unreadable } = await filesBelow(source.path);
  if (files.length + unreadable.length === 0) throw new Failure(`There is no file in ${source.path}.`, { exitCode: 2 });
  const sealing = await openSealing(asked.choice, aws);
  if (target.kind === 'file') await mkdir(target.path, { recursive: true });
  const around = surroundings(aws, interruption.signal);
  const done = await forEach('encrypting', files, interruption.signal, async (name) => {
    const from: FilePlace = { kind: 'file', path: join(source.path, ...name.split('/')) };
    const { bytes } = await encryptOne(from, await placeOf(name, target, asked.force), sealing, asked, around, () => () => {});
    return bytes;
  });
  done.failed.push(...unreadable.map(({ name, reason }) => ({ name, failure: new Failure(`${name} cannot be read (${reason}).`) })));
  const way = { source: source.path, target: placeText(target, 'standard output') };
  const all = { ...done, ...way, leftOut, encryption: sealing.about, ms: performance.now() - started };
  return tellAll(asked, command, interruption, all, files.length);
}

/** @throws Failure: nothing may be put there */
async function placeOf(name: string, target: Place, force: boolean): Promise<Place> {
  if (target.kind === 'file') return { kind: 'file', path: await placeBelow(target.path, name, force) };
  if (target.kind === 'pipe') return target;
  const key = `${target.key}${name}`;
  const problem = keyProblem(key);
  if (problem !== null) throw new Failure(`${name}: ${problem}.`);
  return { ...target, key };
}

const surroundings = (aws: Aws, signal: AbortSignal): Surroundings => ({ aws, signal, stdin: process.stdin, stdout: process.stdout });
