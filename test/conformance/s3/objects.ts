/** Objects that the expectations of S3 put, read and copy. */
import { createHash, randomBytes } from 'node:crypto';
import {
  CopyObjectCommand,
  type CopyObjectCommandInput,
  GetObjectCommand,
  type GetObjectCommandInput,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  PutObjectCommand,
  type PutObjectCommandInput,
  type PutObjectCommandOutput,
} from '@aws-sdk/client-s3';
import type { Stage } from '../stage.ts';

export interface At {
  Bucket: string;
  Key: string;
}

/** Puts an object of its own, into the shared bucket unless another is named. */
export async function put(stage: Stage, input: Partial<PutObjectCommandInput> = {}): Promise<{ at: At; answer: PutObjectCommandOutput }> {
  const at = { Bucket: input.Bucket ?? (await stage.bucket()), Key: input.Key ?? stage.unique('object') };
  return { at, answer: await stage.s3.send(new PutObjectCommand({ Body: 'content', ...input, ...at })) };
}

export async function read(stage: Stage, at: At, more: Partial<GetObjectCommandInput> = {}): Promise<Buffer> {
  const { Body } = await stage.s3.send(new GetObjectCommand({ ...at, ...more }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

export const text = async (stage: Stage, at: At, more: Partial<GetObjectCommandInput> = {}) => (await read(stage, at, more)).toString();

/** A GET whose body is let go, for expectations of its refusal or headers. */
export async function get(stage: Stage, at: At, more: Partial<GetObjectCommandInput> = {}) {
  const answer = await stage.s3.send(new GetObjectCommand({ ...at, ...more }));
  await answer.Body?.transformToByteArray();
  return answer;
}

export const head = (stage: Stage, at: At, more: object = {}): Promise<HeadObjectCommandOutput> =>
  stage.s3.send(new HeadObjectCommand({ ...at, ...more }));

/** Copies `from` to a new key beside it, unless another is named. */
export async function copy(stage: Stage, from: At, input: Partial<CopyObjectCommandInput> = {}) {
  const at = { Bucket: input.Bucket ?? from.Bucket, Key: input.Key ?? stage.unique('copy') };
  const answer = await stage.s3.send(new CopyObjectCommand({ CopySource: `${from.Bucket}/${from.Key}`, ...input, ...at }));
  return { at, answer };
}

export interface CustomerKey {
  SSECustomerAlgorithm: string;
  SSECustomerKey: string;
  SSECustomerKeyMD5: string;
}

export function customerKey(bytes = randomBytes(32)): CustomerKey {
  return { SSECustomerAlgorithm: 'AES256', SSECustomerKey: bytes.toString('base64'), SSECustomerKeyMD5: md5Base64(bytes) };
}

/** The same key, as the source's. */
export function sourceKey({ SSECustomerKey, SSECustomerKeyMD5 }: CustomerKey) {
  return {
    CopySourceSSECustomerAlgorithm: 'AES256',
    CopySourceSSECustomerKey: SSECustomerKey,
    CopySourceSSECustomerKeyMD5: SSECustomerKeyMD5,
  };
}

export const md5Base64 = (bytes: Buffer | string) => createHash('md5').update(bytes).digest('base64');
export const md5Hex = (bytes: Buffer | string) => createHash('md5').update(bytes).digest('hex');
