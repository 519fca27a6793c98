/** An object as S3 gives it, told apart by how it is encrypted, and all of it of one state. */
import { addAbortSignal, Readable } from 'node:stream';
import { GetObjectCommand, HeadObjectCommand, type HeadObjectCommandOutput, type S3Client } from '@aws-sdk/client-s3';
import { storedChecksum } from '../../src/copy/stored-checksum.ts';
import { deniedCall } from '../../src/denied-call.ts';
import {
  answeredEncryption,
  type CustomerKey,
  codedMode,
  differences,
  type EncryptionDescription,
  isClientSideMode,
  keyParameters,
} from '../../src/encryption/index.ts';
import type { EncryptionMode } from '../../src/policy/schema.ts';
import { Failure } from '../failure.ts';
import { startVerification, type WholeChecksum, wholeChecksum } from '../get/checksum.ts';
import { errorMessage, errorName, httpStatus } from '../sdk-error.ts';
import { type Demands, unmetDemands } from './demands.ts';
import type { Opening } from './opening.ts';
import { type ObjectPlace, placeText } from './place.ts';

/** Connections that break without a byte in between are given up then. */
const MAX_BREAKS = 5;

export interface ReadOptions {
  s3: S3Client;
  /** The account that must own the bucket; `null`: whoever does. */
  owner: string | null;
  signal: AbortSignal;
}

export interface StoredObject {
  place: ObjectPlace;
  /** With quotes. */
  etag: string;
  size: number;
  /** How it is to be opened. */
  encryption: EncryptionDescription;
  /** What S3 itself does with it. */
  atS3: EncryptionDescription;
  /** What is left of its content codings once it is. */
  contentEncoding: string | undefined;
  checksum: WholeChecksum | null;
  /** `null`: S3 wants none. */
  customerKey: CustomerKey | null;
}

/**
 * @param demands with the mode that it must be; `null`: whatever it is
 * @throws Failure: there is none, it is of another mode or does not meet a demand, or a key is missing or may not open it; SealdropError of a secret
 */
export async function lookAt(
  place: ObjectPlace,
  { mode, ...demands }: Demands & { mode: EncryptionMode | null },
  opening: Opening,
  options: ReadOptions,
): Promise<StoredObject> {
  const { head, customerKey } = await headOf(place, opening, options);
  const coded = codedMode(head.ContentEncoding);
  const atS3 = answeredEncryption(head);
  const name = placeText(place, 'standard input');
  if (atS3 === null || head.ETag === undefined)
    throw new Failure(`${name}: S3 does not say how it is encrypted.`, { nextStep: 'Is it Amazon S3 that answers?' });
  if (head.ContentLength === undefined)
    throw new Failure(`${name}: S3 does not say how long it is.`, { nextStep: 'Is it Amazon S3 that answers?' });
  const told = coded?.mode ?? (mode !== null && isClientSideMode(mode) ? mode : atS3.mode);
  if (mode !== null && told !== mode) throw new Failure(`${name} is under ${told}, not under ${mode}.`);
  refuseUnmet(name, told, demands);
  const encryption = isClientSideMode(told)
    ? { mode: told }
    : { ...atS3, ...(customerKey === null ? {} : { customerKeyVersion: customerKey.versionId }) };
  await refuseOtherKey(name, encryption, opening);
  return {
    place,
    etag: head.ETag,
    size: head.ContentLength,
    encryption,
    atS3,
    contentEncoding: coded === null ? head.ContentEncoding : coded.contentEncoding,
    checksum: checksumOf(head),
    customerKey,
  };
}

/**
 * Where a connection breaks, the rest is asked for again, of the same state.
 * @param count is told of bytes
 * @throws Failure: it has another state now; what S3 says; the signal's reason
 */
export async function* read(stored: StoredObject, options: ReadOptions, count: (bytes: number) => void): AsyncGenerator<Buffer> {
  const { size } = stored;
  let breaks = 0;
  for (let at = 0; at < size; ) {
    const body = await bodyFrom(stored, at, options);
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        if (at + chunk.length > size) throw new Failure(`${placeText(stored.place, 'standard input')}: S3 sent more than the object has.`);
        at += chunk.length;
        breaks = 0;
        count(chunk.length);
        yield chunk;
      }
      if (at < size) throw new Error(`${at} of ${size} bytes came`);
    } catch (error) {
      options.signal.throwIfAborted();
      if (error instanceof Failure) throw error;
      if (++breaks === MAX_BREAKS) throw broken(stored, at, error);
    } finally {
      body.destroy();
    }
  }
}

/** Part of it came, which is more than not being answered at all. */
function broken({ place, size }: StoredObject, at: number, cause: unknown): Failure {
  const name = placeText(place, 'standard input');
  return new Failure(`${name}: the connection broke after ${at} of ${size} bytes, ${MAX_BREAKS} times (${errorMessage(cause)}).`, {
    nextStep: 'Run the same command again.',
    cause,
  });
}

/** The same, proven by length and by S3's checksum where it has one of the whole: for what S3 itself decrypts. @throws Failure: they are other bytes */
export async function* readProven(stored: StoredObject, options: ReadOptions, count: (bytes: number) => void): AsyncGenerator<Buffer> {
  const verification = startVerification({ length: stored.size, checksum: stored.checksum });
  for await (const chunk of read(stored, options, count)) {
    verification.update(chunk);
    yield chunk;
  }
  if ((await verification.end()) !== null) return;
  throw new Failure(`${placeText(stored.place, 'standard input')}: what came is not what S3 stored, as its checksum says.`, {
    nextStep: 'Run the same command again.',
  });
}

/** @returns the answer, and the customer key that it took */
async function headOf(place: ObjectPlace, opening: Opening, options: ReadOptions) {
  const ask = (customerKey: CustomerKey | null) =>
    options.s3.send(new HeadObjectCommand({ ...inputOf(place, customerKey, options), ChecksumMode: 'ENABLED' }), {
      abortSignal: options.signal,
    });
  const name = placeText(place, 'standard input');
  try {
    return { head: await ask(null), customerKey: null };
  } catch (cause) {
    const error = await named(cause, place, null, options);
    // So S3 refuses a read that lacks the customer key; other 400s have names of their own.
    if (errorName(error) !== 'InvalidRequest') throw refused(error, place, null);
    if (opening.customerKey === null) {
      throw new Failure(`${name} is under sse-c.`, { nextStep: 'Say --secret NAME-OR-ARN, which holds its customer key.', cause: error });
    }
  }
  const customerKey = await opening.customerKey();
  const head = await ask(customerKey).catch(async (error: unknown) => {
    throw refused(await named(error, place, customerKey, options), place, customerKey);
  });
  const wrong = differences({ mode: 'sse-c', customerKey }, head);
  if (wrong.length > 0) throw new Failure(`${name}: S3 answers for another key: ${wrong.join('; ')}.`);
  return { head, customerKey };
}

async function bodyFrom(stored: StoredObject, at: number, options: ReadOptions): Promise<Readable> {
  const { place, customerKey, etag, size } = stored;
  const get = new GetObjectCommand({
    ...inputOf(place, customerKey, options),
    IfMatch: etag,
    ...(at === 0 ? {} : { Range: `bytes=${at}-` }),
  });
  const { Body, ContentRange, ...answer } = await options.s3.send(get, { abortSignal: options.signal }).catch((error: unknown) => {
    throw refused(error, place, customerKey);
  });
  const name = placeText(place, 'standard input');
  if (!(Body instanceof Readable)) throw new Failure(`${name}: S3 answered without a body.`, { nextStep: 'Run the same command again.' });
  // Nobody may be reading when it breaks.
  Body.on('error', () => {});
  const atS3 = answeredEncryption(answer);
  const isOther = atS3 === null || atS3.mode !== stored.atS3.mode || atS3.keyArn !== stored.atS3.keyArn;
  if (isOther || (at > 0 && ContentRange !== `bytes ${at}-${size - 1}/${size}`)) {
    Body.destroy();
    throw new Failure(`${name}: S3 answered with something else than was asked for.`, { nextStep: 'Is it Amazon S3 that answers?' });
  }
  return addAbortSignal(options.signal, Body);
}

function inputOf({ bucket, key }: ObjectPlace, customerKey: CustomerKey | null, { owner }: ReadOptions) {
  return {
    Bucket: bucket,
    Key: key,
    ...(owner === null ? {} : { ExpectedBucketOwner: owner }),
    ...(customerKey === null ? {} : keyParameters({ mode: 'sse-c', customerKey })),
  };
}

/** A refused HEAD has no body, and so no name: a GET of one byte is refused with the same, and tells it. */
async function named(error: unknown, place: ObjectPlace, customerKey: CustomerKey | null, options: ReadOptions): Promise<unknown> {
  if (httpStatus(error) < 400) return error;
  const get = new GetObjectCommand({ ...inputOf(place, customerKey, options), Range: 'bytes=0-0' });
  try {
    const { Body } = await options.s3.send(get, { abortSignal: options.signal });
    if (Body instanceof Readable) Body.on('error', () => {}).destroy();
    return error;
  } catch (told) {
    return httpStatus(told) === httpStatus(error) ? told : error;
  }
}

function refused(error: unknown, place: ObjectPlace, customerKey: CustomerKey | null): unknown {
  const name = placeText(place, 'standard input');
  const details = { code: errorName(error), status: httpStatus(error), cause: error };
  if (errorName(error) === 'NoSuchBucket') return new Failure(`There is no bucket ${place.bucket}.`, details);
  if (details.status === 404) return new Failure(`${name}: there is no such object.`, details);
  if (details.status === 412)
    return new Failure(`${name} changed while it was read.`, { ...details, nextStep: 'Run the same command again.' });
  // IAM names the action that it denies; a wrong customer key is denied without a word.
  if (customerKey !== null && details.status === 403 && deniedCall(errorMessage(error)) === null) {
    return new Failure(`${name} is under another customer key than version ${customerKey.versionId} of the secret.`, {
      ...details,
      nextStep: 'Say --secret-version ID of the version that was current when it was encrypted.',
    });
  }
  return error;
}

function refuseUnmet(name: string, mode: EncryptionMode, demands: Demands): void {
  const unmet = unmetDemands(mode, demands).join(' and ');
  if (unmet === '') return;
  throw new Failure(`${name} is under ${mode}, where ${unmet} cannot be met.`, {
    nextStep: 'Is it still the object that is meant? If it is to be opened all the same, run the command without.',
  });
}

/** Of a message its own header says the key. */
async function refuseOtherKey(name: string, { mode, keyArn }: EncryptionDescription, opening: Opening): Promise<void> {
  const only = isClientSideMode(mode) || mode === 'sse-c' ? null : await opening.kmsKeys();
  if (only === null || (keyArn !== undefined && only.includes(keyArn))) return;
  if (keyArn === undefined)
    throw new Failure(`${name}: S3 does not say under which KMS key it is.`, { nextStep: 'Is it Amazon S3 that answers?' });
  throw new Failure(`${name} is under ${keyArn}, which --kms-key does not name.`, {
    nextStep: `--kms-key ${keyArn} allows it, if that is a key of yours.`,
  });
}

/** Of the bytes of the object, not of its parts. */
function checksumOf(head: HeadObjectCommandOutput): WholeChecksum | null {
  const checksum = storedChecksum(head);
  if (checksum === null) return null;
  const headers = { 'x-amz-checksum-type': checksum.type, [`x-amz-checksum-${checksum.algorithm.toLowerCase()}`]: checksum.value };
  return wholeChecksum(headers);
}
