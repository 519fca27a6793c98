/** One object, file or stream, decrypted. */
import { type EncryptionDescription, isClientSideMode } from '../../src/encryption/index.ts';
import { byteReader, readHead, unlock } from '../../src/envelope/index.ts';
import { refuseSameFile } from './apart.ts';
import { expectedOf } from './context.ts';
import type { DecryptArguments } from './decrypt-arguments.ts';
import type { Demands } from './demands.ts';
import type { Surroundings, Watch } from './encrypt-one.ts';
import { lookAt, type ReadOptions, read, readProven, type StoredObject } from './from-s3.ts';
import { refuseMessage } from './message-beginning.ts';
import { writeNewFile } from './new-file.ts';
import type { Opening } from './opening.ts';
import { type FilePlace, type Place, placeText } from './place.ts';
import { bytesOf, openSource } from './plaintext.ts';
import { writeOut } from './standard-output.ts';

export type DecryptOptions = Demands & Pick<DecryptArguments, 'mode' | 'force' | 'bucketOwner'>;

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
  await refuseSameFile(source, target);
  const { encryption, plaintext, contentEncoding, close } = await opened(source, opening, options, around, watch);
  try {
    const bytes =
      target.kind === 'file'
        ? await writeNewFile(target.path, plaintext, { overwrite: options.force, signal })
        : await writeOut(stdout, plaintext, signal);
    return { bytes, encryption, contentEncoding };
  } finally {
    // Where nothing of the plaintext was asked for, it does not close what it comes from.
    await close();
  }
}

interface Opened {
  encryption: EncryptionDescription;
  plaintext: AsyncIterable<Uint8Array>;
  contentEncoding: string | undefined;
  /** Ends what the plaintext comes from. */
  close(): Promise<void>;
}

async function opened(source: Place, opening: Opening, options: DecryptOptions, around: Surroundings, watch: Watch): Promise<Opened> {
  if (source.kind !== 's3') {
    const from = await openSource(source, around.stdin);
    const ciphertext = bytesOf(from, around.signal, counted(watch(from.size)));
    return { ...(await openedMessage(ciphertext, source, opening, options)), contentEncoding: undefined };
  }
  const reading: ReadOptions = { s3: around.aws.s3, owner: options.bucketOwner, signal: around.signal };
  const stored: StoredObject = await lookAt(source, options, opening, reading);
  const { encryption, contentEncoding } = stored;
  const count = counted(watch(stored.size));
  if (!isClientSideMode(encryption.mode)) {
    const bytes = readProven(stored, reading, count);
    const isSaid = options.mode !== null;
    const plaintext = isSaid ? bytes : refuseMessage(bytes, placeText(source, 'standard input'), encryption.mode);
    // Nothing is asked of S3 before the first of it is.
    return { encryption, plaintext, contentEncoding, close: async () => {} };
  }
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
    const { openedBy } = message;
    const encryption: EncryptionDescription = { mode: mode ?? ('keyArn' in openedBy ? 'cse-kms' : 'cse-aes'), ...openedBy };
    return { encryption, plaintext: message.plaintext(reader), close: () => reader.close() };
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
