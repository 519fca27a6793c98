/** What one side writes the other reads, at every boundary of frames. */
import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import {
  byteReader,
  type EncryptionContext,
  FRAME_BYTES,
  framesOf,
  type MessageHead,
  plaintextBytes,
  readHead,
  unlock,
} from '../../../src/envelope/index.ts';
import { collected, inPieces, opened, whole } from '../messages.ts';
import type { Case, Keys, World } from './world.ts';
import { ASCII, NOT_ASCII, ours, PYTHON_FRAME_BYTES, SIGNED_SUITE, SMALL_FRAME_BYTES, theirs, UNSIGNED_SUITE } from './writing.ts';

/** Nothing like a boundary of a message. */
const PIECE_BYTES = 1_237;

const around = (frameBytes: number) => [
  0,
  1,
  ...[frameBytes, 3 * frameBytes].flatMap((boundary) => [boundary - 1, boundary, boundary + 1]),
];
const CONTEXTS: [string, EncryptionContext][] = [
  ['ASCII', ASCII],
  ['not ASCII', NOT_ASCII],
  ['empty', {}],
];

export function ourMessages({ python, wrapping, kms }: World): Case[] {
  const sizes = [
    ...around(FRAME_BYTES).map((size) => ({ size, frameBytes: FRAME_BYTES, contexts: CONTEXTS.slice(0, 2) })),
    ...around(SMALL_FRAME_BYTES).map((size) => ({ size, frameBytes: SMALL_FRAME_BYTES, contexts: CONTEXTS })),
  ];
  return [wrapping, kms].flatMap((keys) =>
    sizes.flatMap(({ size, frameBytes, contexts }) =>
      contexts.map(([inWords, context]) => ({
        name: `${size} bytes in frames of ${frameBytes}, context ${inWords}, under ${keys.name}`,
        async difference() {
          const plaintext = randomBytes(size);
          const message = await ours({ plaintext, context, keys, frameBytes });
          const { messageId } = await headOf(message);
          const found = await python.decrypt({ keyring: keys.python, message, context });
          if ('refused' in found) return `Python refuses it: ${found.refused}`;
          if (!found.plaintext.equals(plaintext)) return 'Python reads another plaintext';
          if (!message.includes(found.contextBytes)) return 'Python writes the context otherwise';
          return compared(found, { context, suite: UNSIGNED_SUITE, frameBytes, messageId });
        },
      })),
    ),
  );
}

export function theirMessages({ python, wrapping, kms }: World): Case[] {
  const sizes = [
    ...around(PYTHON_FRAME_BYTES).map((size) => ({ size, frameBytes: null, contexts: CONTEXTS })),
    ...[FRAME_BYTES, 3 * FRAME_BYTES + 1].map((size) => ({ size, frameBytes: FRAME_BYTES, contexts: CONTEXTS.slice(1, 2) })),
  ];
  const suites = [UNSIGNED_SUITE, SIGNED_SUITE];
  return [wrapping, kms].flatMap((keys) =>
    suites.flatMap((suite) =>
      sizes.flatMap(({ size, frameBytes, contexts }) =>
        contexts.map(([inWords, context]) => {
          const signed = suite === SIGNED_SUITE;
          const frames = frameBytes ?? PYTHON_FRAME_BYTES;
          return {
            name: `${size} bytes in frames of ${frames}, ${signed ? 'signed' : 'unsigned'}, context ${inWords}, under ${keys.name}`,
            async difference() {
              const plaintext = randomBytes(size);
              const message = await theirs(python, { plaintext, context, keys, frameBytes }, suite);
              const { given, error } = await opened(inPieces(message, PIECE_BYTES), { keys: keys.opening, context });
              if (error !== null) return `we refuse it: ${String(error)}`;
              if (given !== plaintext.toString('hex')) return 'we read another plaintext';
              const head = await headOf(message);
              const { 'aws-crypto-public-key': publicKey, ...said } = head.context;
              const found = { context: said, signed: head.signed, publicKey: publicKey !== undefined, frameBytes: head.layout.frameBytes };
              const difference = compared(found, { context: { ...context }, signed, publicKey: signed, frameBytes: frames });
              return difference ?? (signed ? null : await ranges(head, message, plaintext, keys));
            },
          };
        }),
      ),
    ),
  );
}

/** What a range request does with it: a signature's length would have to be known for that. */
async function ranges(head: MessageHead, message: Buffer, plaintext: Buffer, keys: Keys): Promise<string | null> {
  const { layout } = head;
  if (plaintextBytes(layout, message.length) !== plaintext.length) return 'its length tells another length of the plaintext';
  const last = plaintext.length - 1;
  for (const range of [0, Math.floor(last / 2), last]
    .filter((at) => at >= 0)
    .map((first) => ({ first, last: Math.min(first + 100, last) }))) {
    const span = framesOf(layout, range, message.length);
    const unlocked = await unlock(head, {}, keys.opening);
    const clear = await collected(unlocked.frames(byteReader(whole(message.subarray(span.bytes.first, span.bytes.last + 1))), span));
    const wanted = plaintext.subarray(range.first, range.last + 1);
    if (!clear.subarray(range.first - span.plaintextBefore, range.last + 1 - span.plaintextBefore).equals(wanted))
      return `bytes ${range.first} to ${range.last} are others`;
  }
  return null;
}

const headOf = (message: Buffer) => readHead(byteReader(whole(message)));

function compared(found: Record<string, unknown>, wanted: Record<string, unknown>): string | null {
  const different = Object.keys(wanted).filter((name) => !isDeepStrictEqual(found[name], wanted[name]));
  return different.length === 0 ? null : different.map((name) => `${name} is ${JSON.stringify(found[name])}`).join(', ');
}
