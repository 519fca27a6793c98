/** Sources that were encrypted before they were dropped: opened, so that they can be encrypted as policy says. */
import type { HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { SealdropError } from '../errors.ts';
import {
  type EncryptedMessage,
  INSTRUCTION_FILE_SUFFIX,
  isInstructionFile,
  openMessage,
  type ReaderDeps,
} from '../s3-encryption-client/index.ts';
import type { CopyDeps, CopyJob } from './copy-job.ts';
import { readSourceText } from './source-bytes.ts';

/** What opens sources of the Amazon S3 Encryption Client. */
export interface Decryptor extends Pick<ReaderDeps, 'kms' | 'kmsKeyArns' | 'wrappingKey' | 'legacy'> {
  /** Of the source as it is stored; larger ones are refused. */
  upToBytes: number;
}

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
  const { bucket, key, versionId } = ref;
  const own = async () => (await readSourceText(deps, ref, { key, versionId })) ?? '';
  if (await isInstructionFile({ key, metadata }, own)) return null;
  const message = await openMessage(
    { bucket, key, versionId, size, metadata },
    {
      ...decryptor,
      readInstructionFile: () => readSourceText(deps, ref, { key: `${key}${INSTRUCTION_FILE_SUFFIX}` }),
      ...(signal === undefined ? {} : { signal }),
    },
  );
  if (message !== null) return message;
  const text = `the rule decrypts what the S3 Encryption Client wrote; neither the object's metadata nor ${key}${INSTRUCTION_FILE_SUFFIX} says that it did`;
  throw new SealdropError('envelope-missing', text, { object: ref });
}
