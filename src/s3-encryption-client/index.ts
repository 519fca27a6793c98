/**
 * Reads what the Amazon S3 Encryption Client wrote, so that it can be encrypted anew.
 * @see https://github.com/awslabs/aws-encryption-sdk-specification/tree/master/s3-encryption
 */
import { asSealdropError, SealdropError } from '../errors.ts';
import { decryptCbc, decryptGcm, plaintextSize } from './content.ts';
import { contentCipher } from './content-key.ts';
import { type DataKeyDeps, unwrapDataKey } from './data-key.ts';
import { type Envelope, parseEnvelope } from './envelope.ts';
import { withInstructions } from './instruction-file.ts';
import { DESCRIPTIVE, type Fields, type Format, formatsOf, INSTRUCTION_FILE_MARK, splitMetadata, V3_OF_THE_OBJECT } from './names.ts';
import { refusal } from './refusal.ts';
import { decodeS3Text } from './s3-text.ts';

export { INSTRUCTION_FILE_SUFFIX, isInstructionFile } from './instruction-file.ts';

export interface EncryptedSource {
  bucket: string;
  key: string;
  versionId?: string | undefined;
  /** Bytes as stored. */
  size: number;
  /** User metadata as S3 gives it, names without x-amz-meta-. */
  metadata: Record<string, string>;
}

export interface ReaderDeps extends DataKeyDeps {
  /** Text of KEY.instruction; null: there is none. Called only when the object's own metadata does not hold all. */
  readInstructionFile: () => Promise<string | null>;
  /** V1, AES-CBC, and keys wrapped by `kms` and `AESWrap` too: nothing binds these to how the content says it is encrypted. */
  legacy: boolean;
}

export interface EncryptedMessage {
  format: Format;
  /** Bytes of plaintext; null where padding hides it (CBC). */
  size: number | null;
  /** The user metadata that the application put, without what the client added. */
  metadata: Record<string, string>;
  /**
   * Ciphertext in, plaintext out, in constant memory. What it yields is authenticated only once it has ended without a throw:
   * nothing of it may be made visible before. Under AES-CBC it is not authenticated at all.
   * Throws SealdropError `source-not-decryptable`, and whatever the ciphertext throws as it is.
   */
  decrypt(ciphertext: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer>;
}

/** Metadata that holds JSON and may hold what is not ASCII. */
const TEXTS = ['x-amz-matdesc', 'x-amz-m', 'x-amz-t'];

/** Where they are alone, the file may only be on its way. */
const BESIDE_AN_INSTRUCTION_FILE = [...V3_OF_THE_OBJECT, ...DESCRIPTIVE];

/**
 * Whatever an encryption context holds besides the client's own entries is taken as the object says it: only whoever may use the
 * KMS key could have wrapped a key with it.
 * @returns null: the object carries no trace of the S3 Encryption Client
 * @throws SealdropError `source-not-decryptable`, `envelope-missing`: only the part is there that stands beside an instruction file, `wrapping-key-missing`, `wrapping-key-invalid`, `kms-key-…` or a retryable code
 */
export async function openMessage(source: EncryptedSource, deps: ReaderDeps): Promise<EncryptedMessage | null> {
  const { bucket, key, versionId, size, metadata } = source;
  const object = { bucket, key, versionId };
  try {
    const { client, application } = splitMetadata(metadata);
    const fields = await findFields(client, deps.readInstructionFile);
    if (fields === null) return null;
    const envelope = parseEnvelope(fields);
    if (!deps.legacy) refuseLegacy(envelope);
    // What can be told without a key is told before KMS is asked.
    const plaintext = { size: plaintextSize(envelope.content.suite, size), metadata: application };
    const dataKey = await unwrapDataKey(envelope, deps);
    try {
      const cipher = contentCipher(envelope.content, dataKey);
      return {
        format: envelope.format,
        ...plaintext,
        decrypt: (ciphertext) =>
          named(
            object,
            cipher.mode === 'gcm' ? decryptGcm(ciphertext, cipher, size) : decryptCbc(ciphertext, cipher, size, envelope.plaintextLength),
          ),
      };
    } finally {
      dataKey.fill(0);
    }
  } catch (error) {
    throw error instanceof SealdropError ? asSealdropError(error, object) : error;
  }
}

/** Whether an object's own metadata says that the client wrote it; where it does not, there may still be an instruction file. */
export function bearsTraces(metadata: Record<string, string>): boolean {
  return Object.keys(splitMetadata(metadata).client).length > 0;
}

async function findFields(own: Fields, readInstructionFile: () => Promise<string | null>): Promise<Fields | null> {
  if (Object.hasOwn(own, INSTRUCTION_FILE_MARK)) {
    throw refusal(
      formatsOf(own).length > 0
        ? 'its metadata marks it as an instruction file and holds a wrapped key, which no instruction file has there'
        : 'it is an instruction file itself, which goes with another object',
    );
  }
  // Only what stands in metadata, not in a file, went through S3's encoding.
  const decoded = Object.fromEntries(
    Object.entries(own).map(([name, value]) => [name, TEXTS.includes(name) ? decodeS3Text(value) : value]),
  );
  if (formatsOf(decoded).length > 0) return decoded;
  const text = await readInstructionFile();
  if (text !== null) return withInstructions(decoded, text);
  const names = Object.keys(own);
  if (names.length === 0) return null;
  const message = `its metadata holds ${names.join(', ')} but no wrapped key, and it has no instruction file`;
  throw names.every((name) => BESIDE_AN_INSTRUCTION_FILE.includes(name))
    ? new SealdropError('envelope-missing', message)
    : refusal(message);
}

function refuseLegacy({ format, content, wrapping }: Envelope): void {
  const why = [
    format === 'V1' ? 'it is of the format V1' : null,
    content.suite === 'AES/CBC/PKCS5Padding' ? `its content is under ${content.suite}` : null,
    wrapping === 'kms' || wrapping === 'AESWrap' || wrapping === 'AES' ? `its data key is wrapped by ${wrapping}` : null,
  ].filter((reason) => reason !== null);
  if (why.length > 0) throw refusal(`${why.join(', ')}: that is read only with the option legacy`);
}

async function* named(
  object: { bucket: string; key: string; versionId: string | undefined },
  plaintext: AsyncGenerator<Buffer>,
): AsyncGenerator<Buffer> {
  try {
    yield* plaintext;
  } catch (error) {
    throw error instanceof SealdropError ? asSealdropError(error, object) : error;
  }
}
