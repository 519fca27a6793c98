/** One object, file or stream, decrypted. */
import { type EncryptionDescription, isClientSideMode } from '../../src/encryption/index.ts';
import { byteReader, readHead, unlock, wrappedUnder } from '../../src/envelope/index.ts';
import { expectedOf } from './context.ts';
import type { DecryptArguments } from './decrypt-arguments.ts';
import type { Surroundings, Watch } from './encrypt-one.ts';
import { lookAt, type ReadOptions, read, readProven, type StoredObject } from './from-s3.ts';
import { writeNewFile } from './new-file.ts';
import type { Opening } from './opening.ts';
import type { FilePlace, Place } from './place.ts';
import { bytesOf, openSource } from './plaintext.ts';
import { writeOut } from './standard-output.ts';

export type DecryptOptions = Pick<DecryptArguments, 'mode' | 'context' | 'anyContext' | 'force' | 'bucketOwner'>;

export interface Decrypted {
  /** Of the plaintext. */
  bytes: number;
  encryption: EncryptionDescription;
  /** What the bytes still are, as S3 was told. */
  contentEncoding: string | undefined;
}

/** @throws Failure, SealdropError, what the SDK and the file system say; the signal's reason. No file stays then, and what was there is as it was. */
export async function decryptOne(
  source: Place,
  target: { kind: 'pipe' } | FilePlace,
  opening: Opening,
  options: DecryptOptions,
  around: Surroundings,
  watch: Watch,
): Promise<Decrypted> {
  const { signal, stdout } = around;
  const { encryption, plaintext, contentEncoding } = await opened(source, opening, options, around, watch);
  const bytes =
    target.kind === 'file'
      ? await writeNewFile(target.path, plaintext, { overwrite: options.force, signal })
      : await writeOut(stdout, plaintext, signal);
  return { bytes, encryption, contentEncoding };
}

interface Opened {
  encryption: EncryptionDescription;
  plaintext: AsyncIterable<Uint8Array>;
  contentEncoding: string | undefined;
}

async function opened(source: Place, opening: Opening, options: DecryptOptions, around: Surroundings, watch: Watch): Promise<Opened> {
  if (source.kind !== 's3') {
    const from = await openSource(source, around.stdin);
    const ciphertext = bytesOf(from, around.signal, counted(watch(from.size)));
    return { ...(await openedMessage(ciphertext, source, opening, options)), contentEncoding: undefined };
  }
  const reading: ReadOptions = { s3: around.aws.s3, owner: options.bucketOwner, signal: around.signal };
  const stored: StoredObject = await lookAt(source, options.mode, opening, reading);
  const { encryption, contentEncoding } = stored;
  const count = counted(watch(stored.size));
  if (!isClientSideMode(encryption.mode)) return { encryption, plaintext: readProven(stored, reading, count), contentEncoding };
  // What proves a message is the message itself.
  const message = await openedMessage(read(stored, reading, count), source, opening, { ...options, mode: encryption.mode });
  return { ...message, contentEncoding };
}

async function openedMessage(ciphertext: AsyncIterable<Uint8Array>, source: Place, opening: Opening, options: DecryptOptions) {
  const reader = byteReader(ciphertext);
  try {
    const head = await readHead(reader);
    const mode = options.mode !== null && isClientSideMode(options.mode) ? options.mode : null;
    const message = await unlock(head, expectedOf(source, head.context, options), opening.keysFor(mode));
    const under = wrappedUnder(head);
    const encryption: EncryptionDescription = { mode: mode ?? ('keyArn' in under ? 'cse-kms' : 'cse-aes'), ...under };
    return { encryption, plaintext: message.plaintext(reader) };
  } catch (error) {
    await reader.close();
    throw error;
  }
}

function counted(tell: (bytes: number) => void): (more: number) => void {
  let bytes = 0;
  return (more) => {
    bytes += more;
    tell(bytes);
  };
}
