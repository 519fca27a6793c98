/**
 * Memory of the encrypt use case with an object of S3's greatest size, in ten thousand parts, against one of ten. S3 and table answer
 * at once and in this process; bytes do not come here anyway.
 */
import { Readable } from 'node:stream';
import { MAX_OBJECT_BYTES, MAX_PART_BYTES, MAX_PARTS } from '../src/copy/plan.ts';
import { processIngest } from '../src/process-ingest.ts';
import { type BenchConfig, encryptDeps } from './encrypt-deps.ts';
import { ingestMessages } from './ingest-messages.ts';
import { compared, type Figure } from './measure.ts';

const MIB = 1024 ** 2;
const FEW_PARTS = 10;
const KEY_ARN = 'arn:aws:kms:us-east-1:000000000000:key/00000000-0000-0000-0000-000000000000';
const ETAG = '0123456789abcdef0123456789abcdef';
const CHECKSUM = 'AAAAAAAAAAA=';

interface Memory {
  /** In use when all parts are copied, once nothing is left to collect. */
  heap: number;
  /** Resident at most. */
  most: number;
}

interface Request {
  method: string;
  headers: Record<string, string>;
  query?: Record<string, unknown>;
}

export async function benchPartsMemory(policyPath: string): Promise<Figure[]> {
  // What is compiled and cached at first must not count.
  await copied(FEW_PARTS, policyPath);
  const few = await copied(FEW_PARTS, policyPath);
  const many = await copied(MAX_PARTS, policyPath);
  const scenario = 'memory';
  const what = `${FEW_PARTS} parts`;
  return [
    compared(scenario, `encrypt, ${MAX_PARTS} parts: heap in use when all are copied`, 'MiB', many.heap, { what, value: few.heap }),
    compared(scenario, `encrypt, ${MAX_PARTS} parts: the process at most`, 'MiB', many.most, { what, value: few.most }),
  ];
}

async function copied(parts: number, policyPath: string): Promise<Memory> {
  const memory: Memory = { heap: 0, most: 0 };
  let copies = 0;
  const size = parts === MAX_PARTS ? MAX_OBJECT_BYTES : parts * MAX_PART_BYTES;
  const answers = (request: Request) => {
    const sort = sortOf(request);
    memory.most = Math.max(memory.most, process.memoryUsage.rss() / MIB);
    if (sort === 'part') copies += 1;
    if (sort === 'complete') {
      globalThis.gc?.();
      memory.heap = process.memoryUsage().heapUsed / MIB;
    }
    return answerOf(sort, size);
  };
  const target = {
    targetBucket: 'target',
    auditTable: 'table',
    kmsKeyArn: KEY_ARN,
    customerKeySecret: 'secret',
    queueUrl: 'http://127.0.0.1/q',
    deadLetterQueueUrl: 'http://127.0.0.1/d',
  };
  const deps = { ...encryptDeps(configOf(answers), target, policyPath), limits: { partsAboveBytes: MIB, partBytes: MAX_PART_BYTES } };
  globalThis.gc?.();
  const [result] = await processIngest(ingestMessages([{ bucket: 'source', key: 'large', size, etag: ETAG, order: 1 }]), deps);
  if (result?.verdict !== 'done' || copies !== parts) throw new Error(`${copies} of ${parts} parts: ${result?.error?.message}`);
  return memory;
}

type Sort = 'table' | 'head' | 'tags' | 'uploads' | 'begin' | 'part' | 'complete';

function sortOf({ method, headers, query = {} }: Request): Sort {
  if (headers.authorization?.includes('/dynamodb/')) return 'table';
  if (method === 'HEAD') return 'head';
  if (method === 'GET') return 'tagging' in query ? 'tags' : 'uploads';
  if (method === 'PUT') return 'part';
  return 'uploads' in query ? 'begin' : 'complete';
}

/** Headers and body, as S3 gives them. */
function answerOf(sort: Sort, size: number): [Record<string, string>, string] {
  const encrypted = { 'x-amz-server-side-encryption': 'aws:kms', 'x-amz-server-side-encryption-aws-kms-key-id': KEY_ARN };
  const keyed = { ...encrypted, 'x-amz-server-side-encryption-bucket-key-enabled': 'true' };
  const checksum = `<ChecksumCRC64NVME>${CHECKSUM}</ChecksumCRC64NVME><ChecksumType>FULL_OBJECT</ChecksumType>`;
  switch (sort) {
    case 'table':
      return [{}, '{}'];
    case 'head': {
      const checked = { 'x-amz-checksum-crc64nvme': CHECKSUM, 'x-amz-checksum-type': 'FULL_OBJECT' };
      return [{ 'content-length': String(size), etag: `"${ETAG}"`, ...checked }, ''];
    }
    case 'tags':
      return [{}, '<Tagging><TagSet></TagSet></Tagging>'];
    case 'uploads':
      return [{}, '<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>'];
    case 'begin':
      return [keyed, '<InitiateMultipartUploadResult><UploadId>upload</UploadId></InitiateMultipartUploadResult>'];
    case 'part':
      return [encrypted, `<CopyPartResult><ETag>"${ETAG}"</ETag></CopyPartResult>`];
    case 'complete':
      return [keyed, `<CompleteMultipartUploadResult><ETag>"${ETAG}-2"</ETag>${checksum}</CompleteMultipartUploadResult>`];
    default:
      return sort satisfies never;
  }
}

function configOf(answers: (request: Request) => [Record<string, string>, string]): BenchConfig {
  return {
    endpoint: 'http://127.0.0.1:1',
    region: 'us-east-1',
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
    requestHandler: {
      async handle(request: Request) {
        const [headers, body] = answers(request);
        return { response: { statusCode: 200, headers, body: Readable.from([Buffer.from(body)]) } };
      },
    },
  };
}
