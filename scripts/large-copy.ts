/**
 * `npm run large-copy [-- --gib 6] [--data FOLDER] [--key files/large]`: one object above CopyObject's 5 GiB through the whole stack, under
 * S3's own limits: dropped, encrypted in parts, read back and compared.
 */
import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import {
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import pMap from 'p-map';
import { type LocalServer, startLocalServer } from '../bench/local-server.ts';
import { type StackClients, stackClients } from '../local/clients.ts';
import { drained, messagesIn } from '../local/queues.ts';

const GIB = 1024 ** 3;
const SENT_PART_BYTES = 64 * 1024 ** 2;
/** As the SDK's own upload manager (`@aws-sdk/lib-storage`) sends them: four at once, with a CRC32 of each part and none of the whole. */
const SENT_AT_ONCE = 4;
const CHECKSUM = 'CRC32';
const SAMPLE_MS = 100;
const POLICY = 'policy.yml';
/** Of the policy's rule for SSE-C. */
const CUSTOMER_KEY_PREFIX = 'cards/';
/** Source and copy, and what the sandbox itself takes. */
const diskBytes = (size: number) => 2 * size + GIB;

const CARRIED = {
  ContentType: 'application/x-large',
  CacheControl: 'max-age=60',
  Metadata: { origin: 'large-copy', note: 'große Datei' },
};
const TAGS = [
  { Key: 'class', Value: 'large' },
  { Key: 'a key', Value: 'a+b=c' },
];

const { values } = parseArgs({
  options: {
    gib: { type: 'string', default: '6' },
    data: { type: 'string', default: tmpdir() },
    key: { type: 'string', default: 'files/large' },
  },
});
process.exitCode = await main(Math.round(Number(values.gib) * GIB), values.key, values.data);

/** @returns 0: what came back is what was dropped */
async function main(size: number, key: string, folder: string): Promise<number> {
  const { bavail, bsize } = statfsSync(folder);
  console.log(`${gib(size)} go through ${folder}: ${gib(diskBytes(size))} of disk are needed, ${gib(bavail * bsize)} are free.`);
  if (bavail * bsize < diskBytes(size)) throw new Error(`${folder} has too little room; --data names another folder`);
  const server = await startLocalServer(POLICY, folder);
  const end = () => void server.stop().finally(() => process.exit(1));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  try {
    const clients = stackClients(server.environment);
    const sent = await step('dropped', server, size, () => drop(clients, key, size));
    await step('encrypted', server, size, () => drained(clients));
    const dead = await messagesIn(clients.sqs, clients.deadLetterQueueUrl);
    if (dead > 0) throw new Error(`${dead} messages in the dead-letter queue: it was not encrypted`);
    const copy = await step('read back', server, size, () => readBack(clients, key));
    return report(sent, copy, size);
  } finally {
    await server.stop();
  }
}

/** @returns the bytes' SHA-256 */
async function drop({ s3, ingestBucket }: StackClients, Key: string, size: number): Promise<string> {
  const at = { Bucket: ingestBucket, Key };
  const Tagging = TAGS.map(({ Key: name, Value }) => `${encodeURIComponent(name)}=${encodeURIComponent(Value)}`).join('&');
  const metadata = Object.entries(CARRIED.Metadata).map(([name, value]) => [name, encodedWord(value)]);
  const { UploadId } = await s3.send(
    new CreateMultipartUploadCommand({ ...at, ...CARRIED, Metadata: Object.fromEntries(metadata), Tagging, ChecksumAlgorithm: CHECKSUM }),
  );
  const hash = createHash('sha256');
  const Parts: CompletedPart[] = await pMap(
    parts(size, hash),
    async ({ PartNumber, Body }) => {
      const { ETag, ChecksumCRC32 } = await s3.send(new UploadPartCommand({ ...at, UploadId, PartNumber, Body }));
      return { PartNumber, ETag, ChecksumCRC32 };
    },
    { concurrency: SENT_AT_ONCE },
  );
  await s3.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts } }));
  return hash.digest('hex');
}

/** Random bytes, no two parts alike; told to `hash` in their order. */
function* parts(size: number, hash: ReturnType<typeof createHash>) {
  const random = createCipheriv('aes-128-ctr', randomBytes(16), randomBytes(16));
  for (let offset = 0; offset < size; offset += SENT_PART_BYTES) {
    const Body = random.update(Buffer.alloc(Math.min(SENT_PART_BYTES, size - offset)));
    hash.update(Body);
    yield { PartNumber: offset / SENT_PART_BYTES + 1, Body };
  }
}

interface ReadBack {
  sha256: string;
  /** In parts that S3 stored. */
  parts: number;
  encryption: string;
  carried: typeof CARRIED;
  tags: typeof TAGS;
}

async function readBack({ s3, targetBucket, customerKey }: StackClients, Key: string): Promise<ReadBack> {
  const at = { Bucket: targetBucket, Key };
  const withKey = Key.startsWith(CUSTOMER_KEY_PREFIX);
  const sse = withKey ? { SSECustomerAlgorithm: 'AES256', SSECustomerKey: (await customerKey()).toString('base64') } : {};
  const { Body, ETag = '', ...head } = await s3.send(new GetObjectCommand({ ...at, ...sse }));
  const hash = createHash('sha256');
  if (Body) for await (const chunk of Body as AsyncIterable<Buffer>) hash.update(chunk);
  const { TagSet = [] } = await s3.send(new GetObjectTaggingCommand(at));
  const { ContentType = '', CacheControl = '', Metadata = {} } = head;
  const { origin = '', note = '' } = Metadata;
  return {
    sha256: hash.digest('hex'),
    parts: Number(/-(\d+)"?$/.exec(ETag)?.[1] ?? 1),
    encryption: withKey ? `SSE-C ${head.SSECustomerAlgorithm}` : String(head.ServerSideEncryption),
    carried: { ContentType, CacheControl, Metadata: { origin, note: decodedWord(note) } },
    tags: TagSet.map(({ Key: name = '', Value = '' }) => ({ Key: name, Value })),
  };
}

function report(sent: string, copy: ReadBack, size: number): number {
  const byKey = (tags: typeof TAGS) => tags.toSorted((a, b) => (a.Key < b.Key ? -1 : 1));
  const checks = {
    'SHA-256': copy.sha256 === sent,
    'content type, cache control, metadata': isDeepStrictEqual(copy.carried, CARRIED),
    tags: isDeepStrictEqual(byKey(copy.tags), byKey(TAGS)),
    // Below, such a checksum is kept by one call.
    'copied in parts above 5 GiB': size <= 5 * GIB || copy.parts > 1,
  };
  console.log(`stored in ${copy.parts} parts under ${copy.encryption}`);
  for (const [what, same] of Object.entries(checks)) console.log(`${same ? 'ok   ' : 'WRONG'} ${what}`);
  return Object.values(checks).every(Boolean) ? 0 : 1;
}

/** Tells how long it took, and what the server's process held meanwhile. */
async function step<Result>(what: string, server: LocalServer, size: number, work: () => Promise<Result>): Promise<Result> {
  const before = server.residentMiB();
  let most = before;
  const sampler = setInterval(() => {
    most = Math.max(most, server.residentMiB());
  }, SAMPLE_MS);
  const [started, cpu] = [performance.now(), server.cpuMs()];
  try {
    const result = await work();
    const seconds = (performance.now() - started) / 1000;
    console.log(
      `${what.padEnd(9)} in ${seconds.toFixed(1)} s (${(size / 1e6 / seconds).toFixed(0)} MB/s; ${((server.cpuMs() - cpu) / 1000).toFixed(1)} s of CPU); ` +
        `services and functions held ${before.toFixed(0)} MiB before, ${most.toFixed(0)} MiB at most`,
    );
    return result;
  } finally {
    clearInterval(sampler);
  }
}

/** S3 gives metadata that is not ASCII as such words. @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html */
function encodedWord(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : `=?UTF-8?B?${Buffer.from(text).toString('base64')}?=`;
}

function decodedWord(text: string): string {
  const [, base64] = /^=\?UTF-8\?B\?([^?]*)\?=$/i.exec(text) ?? [];
  return base64 === undefined ? text : Buffer.from(base64, 'base64').toString();
}

function gib(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}
