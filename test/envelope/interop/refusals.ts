/** What neither side may open, and what we alone refuse. */
import { randomBytes } from 'node:crypto';
import { byteReader, type EncryptionContext, readHead } from '../../../src/envelope/index.ts';
import { SealdropError } from '../../../src/errors.ts';
import { inPieces, opened, whole } from '../messages.ts';
import { tamperings } from './tamperings.ts';
import type { Case, Keys, World } from './world.ts';
import {
  ASCII,
  NON_COMMITTING_SUITES,
  NOT_ASCII,
  ours,
  SIGNED_SUITE,
  SMALL_FRAME_BYTES,
  theirs,
  UNSIGNED_SUITE,
  type Wanted,
} from './writing.ts';

/** Three whole frames and some of a fourth, whoever writes it. */
const PLAINTEXT = randomBytes(3 * SMALL_FRAME_BYTES + 10);
const PIECE_BYTES = 13;

interface Reading {
  message: Buffer;
  keys: Keys;
  /** Nothing is asked of the context unless that is what is tried. */
  context?: EncryptionContext;
}

export async function tampered({ python, wrapping, kms }: World): Promise<Case[]> {
  const wanted = (keys: Keys): Wanted => ({ plaintext: PLAINTEXT, context: NOT_ASCII, keys, frameBytes: SMALL_FRAME_BYTES });
  const messages: [string, Keys, Buffer][] = [
    ['ours', wrapping, await ours(wanted(wrapping))],
    ['ours', kms, await ours(wanted(kms))],
    ['theirs, unsigned', wrapping, await theirs(python, wanted(wrapping), UNSIGNED_SUITE)],
    ['theirs, signed', wrapping, await theirs(python, wanted(wrapping), SIGNED_SUITE)],
    ['theirs, signed', kms, await theirs(python, wanted(kms), SIGNED_SUITE)],
  ];
  const cases = messages.map(async ([whose, keys, message]) => {
    const about = `${whose}, under ${keys.name}`;
    const asWritten: Case = {
      name: `${about}: as it was written both open it`,
      async difference() {
        const [here, there] = [await openHere({ message, keys }), await openThere(python, { message, keys })];
        if (here !== null || there !== null) return `here: ${here ?? 'opened'}; Python: ${there ?? 'opened'}`;
        return null;
      },
    };
    const head = await readHead(byteReader(whole(message)));
    const refused = tamperings(head, message).map(([what, bytes]) => ({
      name: `${about}: ${what}`,
      difference: () => refusedByBoth(python, { message: bytes, keys }),
    }));
    return [asWritten, ...refused];
  });
  return (await Promise.all(cases)).flat();
}

export async function otherKeys({ python, wrapping, otherWrapping, kms, otherKms }: World): Promise<Case[]> {
  const cases: Case[] = [];
  for (const [keys, ...others] of [
    [wrapping, otherWrapping, kms],
    [kms, otherKms, wrapping],
  ] as const) {
    const wanted: Wanted = { plaintext: PLAINTEXT, context: ASCII, keys, frameBytes: SMALL_FRAME_BYTES };
    for (const [whose, message] of [
      ['ours', await ours(wanted)],
      ['theirs', await theirs(python, wanted, SIGNED_SUITE)],
    ] as const) {
      const context = { ...ASCII, key: 'reports/2' };
      const readings: [string, Reading][] = [
        ['for another object', { message, keys, context }],
        ...others.map((other): [string, Reading] => [`opened with ${other.name}`, { message, keys: other }]),
      ];
      for (const [what, reading] of readings)
        cases.push({ name: `${whose}, under ${keys.name}: ${what}`, difference: () => refusedByBoth(python, reading) });
    }
  }
  return cases;
}

/** What the SDK writes when it is told to, and reads; we do neither. */
export function refusedHere({ python, wrapping: keys }: World): Case[] {
  const wanted: Wanted = { plaintext: PLAINTEXT, context: ASCII, keys, frameBytes: SMALL_FRAME_BYTES };
  const written: [string, RegExp, () => Promise<Buffer>][] = [
    ...NON_COMMITTING_SUITES.map((suite): [string, RegExp, () => Promise<Buffer>] => [
      `of suite ${hex(suite)}, which commits to no key`,
      /committing algorithm suite/,
      () => theirs(python, wanted, suite),
    ]),
    ...[UNSIGNED_SUITE, SIGNED_SUITE].map((suite): [string, RegExp, () => Promise<Buffer>] => [
      `of suite ${hex(suite)}, not in frames`,
      /not in frames/,
      () => theirs(python, { ...wanted, frameBytes: 0 }, suite),
    ]),
    [
      'with a byte behind it',
      /follows the message/,
      async () => Buffer.concat([await theirs(python, wanted, UNSIGNED_SUITE), Buffer.of(0)]),
    ],
  ];
  return written.map(([what, text, write]) => ({
    name: `theirs ${what}`,
    async difference() {
      const refusal = await openHere({ message: await write(), keys });
      if (refusal === null) return 'we open it';
      return refusal.startsWith('ciphertext-invalid') && text.test(refusal) ? null : `we refuse it otherwise: ${refusal}`;
    },
  }));
}

const hex = (suite: number) => suite.toString(16).padStart(4, '0');

async function refusedByBoth(python: World['python'], reading: Reading): Promise<string | null> {
  if ((await openHere(reading)) === null) return 'we open it';
  return (await openThere(python, reading)) === null ? 'Python opens it' : null;
}

/** `null`: opened; else why not. @throws what is no refusal, and where more was given out than whole frames of the plaintext */
async function openHere({ message, keys, context = {} }: Reading): Promise<string | null> {
  const { given, error } = await opened(inPieces(message, PIECE_BYTES), { keys: keys.opening, context });
  const plaintext = PLAINTEXT.toString('hex');
  if (error === null && given === plaintext) return null;
  if (!(error instanceof SealdropError)) throw error ?? new Error('another plaintext was given out');
  const bytes = given.length / 2;
  if (bytes % SMALL_FRAME_BYTES !== 0 || bytes === PLAINTEXT.length || !plaintext.startsWith(given))
    throw new Error('what was given out before the refusal is no beginning of the plaintext', { cause: error });
  return `${error.code}: ${error.message}`;
}

async function openThere(python: World['python'], { message, keys, context = {} }: Reading): Promise<string | null> {
  const found = await python.decrypt({ keyring: keys.python, message, context });
  if ('refused' in found) return found.refused;
  if (!found.plaintext.equals(PLAINTEXT)) throw new Error('Python gave out another plaintext');
  return null;
}
