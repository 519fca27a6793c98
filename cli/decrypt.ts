/** `npx sealdrop decrypt`: objects, files and streams, opened with the caller's own credentials. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandContext } from './command.ts';
import type { Aws } from './envelope/aws.ts';
import { type DecryptArguments, readArguments, USAGE } from './envelope/decrypt-arguments.ts';
import { decryptOne } from './envelope/decrypt-one.ts';
import type { Surroundings } from './envelope/encrypt-one.ts';
import { filesBelow, placeBelow } from './envelope/folder.ts';
import { forEach } from './envelope/many.ts';
import { keysUnder } from './envelope/objects.ts';
import { openOpening } from './envelope/opening.ts';
import { type FilePlace, type Place, placeText } from './envelope/place.ts';
import { jsonFailure } from './envelope/report.ts';
import { ALL_DONE, tellAll, tellOne, watched, withAws } from './envelope/running.ts';
import type { Help } from './envelope/shared-options.ts';
import { Failure } from './failure.ts';
import { destinationOf } from './get/destination.ts';
import type { Interruption } from './interruption.ts';
import { plainCommand } from './plain-command.ts';

export const decrypt = plainCommand<DecryptArguments | Help>({
  usage: USAGE,
  read: readArguments,
  jsonFailure,
  async run(asked, command, interruption) {
    if (asked.help) return ALL_DONE;
    const work = asked.recursive ? decryptAll : decryptSingle;
    return withAws(asked, command, interruption, (aws) => work(asked, command, interruption, aws));
  },
});

async function decryptSingle(asked: DecryptArguments, command: CommandContext, { signal }: Interruption, aws: Aws): Promise<number> {
  const { source } = asked;
  const started = performance.now();
  const target = await singleTarget(asked);
  const opening = openOpening(asked, aws);
  const done = await watched('decrypting', (watch) => decryptOne(source, target, opening, asked, surroundings(aws, signal), watch));
  const way = { source: placeText(source, 'standard input'), target: placeText(target, 'standard output') };
  tellOne(asked, command, { ...way, ...done, ms: performance.now() - started });
  return ALL_DONE;
}

/** A folder takes it under its own name. @throws Failure: no file may be put there */
async function singleTarget({ source, target, force }: DecryptArguments): Promise<{ kind: 'pipe' } | FilePlace> {
  if (target.kind !== 'file') return target;
  const name = source.kind === 's3' ? source.key : source.kind === 'file' ? source.path : '';
  return { kind: 'file', path: await destinationOf(name, target.path, force, 'TARGET') };
}

async function decryptAll(asked: DecryptArguments, command: CommandContext, interruption: Interruption, aws: Aws): Promise<number> {
  const { source, target, force } = asked;
  const { signal } = interruption;
  if (target.kind !== 'file') throw new TypeError('a folder was to be asked for');
  const started = performance.now();
  const { names, leftOut, unreadable, placeOf } = await listed(asked, aws, signal);
  if (names.length + unreadable.length === 0) {
    throw new Failure(`Nothing to decrypt lies in ${placeText(source, 'standard input')}.`, { exitCode: 2 });
  }
  await mkdir(target.path, { recursive: true });
  const opening = openOpening(asked, aws);
  const around = surroundings(aws, signal);
  const done = await forEach('decrypting', names, signal, async (name) => {
    const path = await placeBelow(target.path, name, force);
    return (await decryptOne(placeOf(name), { kind: 'file', path }, opening, asked, around, () => () => {})).bytes;
  });
  done.failed.push(...unreadable.map(({ name, reason }) => ({ name, failure: new Failure(`${name} cannot be read (${reason}).`) })));
  const way = { source: placeText(source, 'standard input'), target: target.path };
  const all = { ...done, ...way, leftOut, encryption: null, ms: performance.now() - started };
  return tellAll(asked, command, interruption, all, names.length);
}

/** Names below the source, and what each of them is. */
async function listed({ source, bucketOwner: owner }: DecryptArguments, { s3 }: Aws, signal: AbortSignal) {
  if (source.kind === 's3') {
    const { bucket, key: prefix } = source;
    const names = (await keysUnder(source, { s3, owner, signal })).map((key) => key.slice(prefix.length));
    const placeOf = (name: string): Place => ({ kind: 's3', bucket, key: `${prefix}${name}` });
    return { names, leftOut: 0, unreadable: [], placeOf };
  }
  const folder = source.kind === 'file' ? source.path : '';
  const { files: names, leftOut, unreadable } = await filesBelow(folder);
  const placeOf = (name: string): Place => ({ kind: 'file', path: join(folder, ...name.split('/')) });
  return { names, leftOut, unreadable, placeOf };
}

const surroundings = (aws: Aws, signal: AbortSignal): Surroundings => ({ aws, signal, stdin: process.stdin, stdout: process.stdout });
