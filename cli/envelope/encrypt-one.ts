/** One file or stream, encrypted. */
import type { Readable, Writable } from 'node:stream';
import { codedAs } from '../../src/encryption/index.ts';
import { messageBytes, sealMessage } from '../../src/envelope/index.ts';
import { refuseSameFile } from './apart.ts';
import type { Aws } from './aws.ts';
import { contextFor } from './context.ts';
import type { EncryptArguments } from './encrypt-arguments.ts';
import { writeNewFile } from './new-file.ts';
import type { FilePlace, Place } from './place.ts';
import { bytesOf, openSource } from './plaintext.ts';
import type { Sealing } from './sealing.ts';
import { writeOut } from './standard-output.ts';
import { refuseExisting, store } from './to-s3.ts';

export interface Surroundings {
  aws: Aws;
  signal: AbortSignal;
  stdin: Readable;
  stdout: Writable;
}

export type EncryptOptions = Pick<EncryptArguments, 'context' | 'force' | 'contentType' | 'bucketOwner' | 'partBytes'>;

export interface Encrypted {
  /** Of the plaintext. */
  bytes: number;
  /** Of the object; `undefined`: it has none. */
  versionId: string | undefined;
}

/** Told how far it is. @param total bytes; `null`: nobody knows */
export type Watch = (total: number | null) => (bytes: number) => void;

/** @throws Failure, SealdropError, what the SDK and the file system say; the signal's reason. Nothing stays then, and what was there is as it was. */
export async function encryptOne(
  source: { kind: 'pipe' } | FilePlace,
  target: Place,
  sealing: Sealing,
  options: EncryptOptions,
  around: Surroundings,
  watch: Watch,
): Promise<Encrypted> {
  const { aws, signal } = around;
  await refuseSameFile(source, target);
  const storing =
    target.kind === 's3'
      ? {
          s3: aws.s3,
          owner: options.bucketOwner ?? (await aws.account()),
          encryption: sealing.atS3,
          contentType: options.contentType,
          contentEncoding: sealing.client === null ? undefined : codedAs(sealing.client.mode, undefined),
          partBytes: options.partBytes,
          overwrite: options.force,
          signal,
        }
      : null;
  if (storing !== null && target.kind === 's3') await refuseExisting(target, storing);
  const from = await openSource(source, around.stdin);
  let bytes = 0;
  const tell = watch(from.size);
  const plaintext = bytesOf(from, signal, (more) => {
    bytes += more;
    tell(bytes);
  });
  try {
    const { chunks, size } = await sealed(plaintext, from.size, target, sealing, options);
    if (target.kind === 's3' && storing !== null) {
      const { versionId } = await store(target, chunks, { ...storing, size });
      return { bytes, versionId };
    }
    if (target.kind === 'file') await writeNewFile(target.path, chunks, { overwrite: options.force, signal });
    else await writeOut(around.stdout, chunks, signal);
    return { bytes, versionId: undefined };
  } finally {
    // Where nothing of it was read, its end is not reached either.
    await from.close();
  }
}

/** What is to be stored, and how much it will be. */
async function sealed(
  plaintext: AsyncIterable<Buffer>,
  size: number | null,
  target: Place,
  { client }: Sealing,
  { context }: EncryptOptions,
): Promise<{ chunks: AsyncIterable<Uint8Array>; size: number | null }> {
  if (client === null) return { chunks: plaintext, size };
  const { chunks, layout } = await sealMessage(plaintext, {
    context: contextFor(target, context),
    dataKeys: client.dataKeys,
    ...(size === null ? {} : { plaintextBytes: size }),
  });
  return { chunks, size: size === null ? null : messageBytes(layout, size) };
}
