/**
 * Reads what official clients wrote and compares it with what they were given: read.ts BUCKET FOLDER_WITH_THE_PLAINTEXT KMS_KEY_ARN WRAPPING_KEY_IN_BASE64
 * Run by scripts/s3-encryption-client.sh.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KMSClient } from '@aws-sdk/client-kms';
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, NoSuchKey, S3Client } from '@aws-sdk/client-s3';
import { INSTRUCTION_FILE_SUFFIX, isInstructionFile, openMessage } from '../../../src/s3-encryption-client/index.ts';

const [bucket = '', folder = '', kmsKeyArn = '', wrappingKey = ''] = process.argv.slice(2);
const s3 = new S3Client({ forcePathStyle: true });
const kms = new KMSClient({});

const get = (key: string) => s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
const getText = async (key: string) => (await get(key)).Body?.transformToString() ?? '';

async function readInstructionFile(key: string): Promise<string | null> {
  try {
    return await getText(key + INSTRUCTION_FILE_SUFFIX);
  } catch (error) {
    if (error instanceof NoSuchKey) return null;
    throw error;
  }
}

/** @returns how it is stored, or what is wrong */
async function read(key: string): Promise<{ stored: string } | { wrong: string }> {
  const { Body, ContentLength: size = 0, Metadata: metadata = {} } = await get(key);
  const source = { bucket, key, size, metadata };
  const found: string[] = [];
  const message = await openMessage(source, {
    kms,
    kmsKeyArns: [kmsKeyArn],
    wrappingKey: async () => Buffer.from(wrappingKey, 'base64'),
    readInstructionFile: async () => {
      found.push('instruction file');
      return readInstructionFile(key);
    },
    legacy: /^first/.test(key),
  });
  if (message === null) return { wrong: 'taken for an object that is not encrypted' };
  const plaintext: Buffer[] = [];
  for await (const chunk of message.decrypt(Body as AsyncIterable<Uint8Array>)) plaintext.push(chunk);
  const expected = readFileSync(join(folder, key));
  if (!Buffer.concat(plaintext).equals(expected)) return { wrong: 'came back different' };
  if (message.size !== null && message.size !== expected.byteLength) return { wrong: `tells ${message.size} bytes` };
  if (JSON.stringify(message.metadata) !== '{"author":"Zoe"}') return { wrong: `metadata ${JSON.stringify(message.metadata)}` };
  const told = ['x-amz-wrap-alg', 'x-amz-w', 'x-amz-cek-alg', 'x-amz-c'].flatMap((name) => metadata[name] ?? []);
  return { stored: [message.format, ...told, ...found].join(' ') };
}

const { Contents: listed = [], IsTruncated: more } = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
if (more) throw new Error('more objects than one page of the listing');
const counts: Record<string, number> = {};
const wrong: string[] = [];
const unread = new Set(readdirSync(folder));
for (const { Key: key = '' } of listed) {
  const { Metadata: metadata = {} } = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
  if (await isInstructionFile({ key, metadata }, () => getText(key))) continue;
  unread.delete(key);
  const outcome = await read(key).catch((error: unknown) => ({ wrong: String(error) }));
  if ('wrong' in outcome) wrong.push(`${key}: ${outcome.wrong}`);
  else {
    const kind = `${key.replace(/-\d+$/, '')}: ${outcome.stored}`;
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
}
for (const [kind, count] of Object.entries(counts)) console.log(`${count} read  ${kind}`);
for (const key of unread) wrong.push(`${key}: not in the bucket`);
for (const each of wrong) console.error(each);
console.log(`${Object.values(counts).reduce((sum, count) => sum + count, 0)} passed, ${wrong.length} failed`);
process.exitCode = wrong.length === 0 && Object.keys(counts).length > 0 ? 0 : 1;
