/** Sources that were encrypted before they were dropped: opened, so that they can be encrypted as policy says. */
import type { HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { SealdropError } from '../errors.ts';
import { type EncryptedMessage, INSTRUCTION_FILE_SUFFIX, isInstructionFile, openMessage } from '../s3-encryption-client/index.ts';
import type { CopyDeps, CopyJob } from './copy-job.ts';
import { MAX_TEXT_BYTES, readSourceText } from './source-bytes.ts';

/**
 * @returns `null`: it is an instruction file, which says how another object is encrypted, and is copied as it is
 * @throws SealdropError `source-not-decryptable`, of keys, or `envelope-missing`: it carries no trace of the client, or not yet
 */
export async function openSource(
  deps: CopyDeps,
  { ref }: CopyJob,
  { Metadata: metadata = {}, ContentLength: size = 0 }: HeadObjectCommandOutput,
): Promise<EncryptedMessage | null> {
  const { decryptor, signal } = deps;
  if (decryptor === undefined) throw new SealdropError('config-invalid', 'nothing here decrypts sources', { object: ref });
  const { bucket, key, versionId, etag } = ref;
  const own = async () => (size > MAX_TEXT_BYTES ? '' : ((await readSourceText(deps, ref, { key, versionId, etag })) ?? ''));
  if (await isInstructionFile({ key, metadata }, own)) return null;
  let instructed = false;
  const readInstructionFile = async () => {
    const text = await readSourceText(deps, ref, { key: `${key}${INSTRUCTION_FILE_SUFFIX}` });
    instructed = text !== null;
    return text;
  };
  /** Nothing says which state of an object its instruction file goes with: the one for this may only be on its way. */
  const asInstructed = (error: unknown) => {
    if (!instructed || !(error instanceof SealdropError) || error.code !== 'source-not-decryptable') return error;
    const text = `its instruction file does not open it, or is not the one that goes with it: ${error.message}`;
    return new SealdropError('envelope-missing', text, { object: ref, cause: error });
  };
  const read = { ...decryptor, readInstructionFile, ...(signal === undefined ? {} : { signal }) };
  const message = await openMessage({ bucket, key, versionId, size, metadata }, read).catch((error: unknown) => {
    throw asInstructed(error);
  });
  if (message !== null) {
    return {
      ...message,
      async *decrypt(ciphertext) {
        try {
          yield* message.decrypt(ciphertext);
        } catch (error) {
          throw asInstructed(error);
        }
      },
    };
  }
  const text = `the rule decrypts what the S3 Encryption Client wrote; neither the object's metadata nor ${key}${INSTRUCTION_FILE_SUFFIX} says that it did`;
  throw new SealdropError('envelope-missing', text, { object: ref });
}
