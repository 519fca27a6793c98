/** Errors inside of a 200 and answers that never come, over real HTTP: what the SDK makes of them cannot be seen with a mocked client. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CopyDeps, CopyJob } from '../../src/copy/copy-job.ts';
import { prepareCopy } from '../../src/copy/prepare-copy.ts';
import type { ErrorCode } from '../../src/errors.ts';
import { ENCRYPTIONS, ETAG, INGEST_OWNER, objectRef, TARGET_BUCKET, TARGET_OWNER } from '../fixtures/objects.ts';

const SIZE = 250;
/** What an honest S3 answers to each call of a copy. */
const HONEST = {
  CopyObject: `<CopyObjectResult><ETag>"${ETAG}"</ETag></CopyObjectResult>`,
  Tagging: '<Tagging><TagSet/></Tagging>',
  Uploads: '<ListMultipartUploadsResult/>',
  Create: '<InitiateMultipartUploadResult><UploadId>upload-1</UploadId></InitiateMultipartUploadResult>',
  Part: '<CopyPartResult><ETag>"part"</ETag></CopyPartResult>',
  Complete:
    '<CompleteMultipartUploadResult><ETag>"done-3"</ETag><ChecksumCRC64NVME>x</ChecksumCRC64NVME><ChecksumType>FULL_OBJECT</ChecksumType></CompleteMultipartUploadResult>',
  Head: '',
  Abort: '',
};
type Call = keyof typeof HONEST;
/** What a call is answered in place of it, one time each; `null`: the connection breaks. */
let broken: Partial<Record<Call, (string | null)[]>> = {};
let calls: Call[] = [];

const errorBody = (code: string, more = '') =>
  `<?xml version="1.0"?>\n<Error><Code>${code}</Code><Message>${code}</Message>${more}</Error>`;

let server: Server;
let s3: S3Client;
beforeAll(async () => {
  server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  s3 = new S3Client({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    forcePathStyle: true,
    maxAttempts: 2,
  });
});
afterAll(() => {
  s3.destroy();
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  broken = {};
  calls = [];
});

function answer(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  const call = callOf(request);
  calls.push(call);
  const body = broken[call]?.shift();
  if (body === null) {
    response.destroy();
    return;
  }
  response.writeHead(200, {
    'x-amz-server-side-encryption': 'AES256',
    ...(call === 'Head'
      ? { 'content-length': SIZE, etag: `"${ETAG}"`, 'x-amz-checksum-crc64nvme': 'x', 'x-amz-checksum-type': 'FULL_OBJECT' }
      : {}),
  });
  response.end(body ?? HONEST[call]);
}

function callOf({ method, url = '', headers }: IncomingMessage): Call {
  if (method === 'HEAD') return 'Head';
  if (method === 'DELETE') return 'Abort';
  if (method === 'GET') return url.includes('tagging') ? 'Tagging' : 'Uploads';
  if (method === 'POST') return url.includes('uploadId') ? 'Complete' : 'Create';
  return 'x-amz-copy-source-range' in headers ? 'Part' : 'CopyObject';
}

async function copy(size: number) {
  const deps: CopyDeps = {
    s3,
    targetBucket: TARGET_BUCKET,
    targetBucketOwner: TARGET_OWNER,
    ingestBucketOwner: INGEST_OWNER,
    limits: { partsAboveBytes: 100, partBytes: 100 },
  };
  const job: CopyJob = {
    ref: objectRef({ size }),
    encryption: ENCRYPTIONS['sse-s3'],
    storageClass: 'STANDARD',
    saved: null,
    spared: async () => [],
    began: async () => {},
  };
  const preparation = await prepareCopy(deps, job);
  if (!('ready' in preparation)) throw new Error('unfinished');
  return preparation.ready.commit('absent');
}

const SLOW = errorBody('SlowDown');
const BROKEN: [call: Call, size: number, bodies: (string | null)[], code: ErrorCode | 'nothing at all', times: number][] = [
  ['CopyObject', 1, [SLOW, SLOW], 'throttled', 2],
  ['CopyObject', 1, [SLOW], 'nothing at all', 2],
  ['CopyObject', 1, ['', ''], 'service-unavailable', 2],
  ['CopyObject', 1, [null, null], 'time-out', 2],
  ['CopyObject', 1, [null, errorBody('PreconditionFailed', '<Condition>If-None-Match</Condition>')], 'target-changed', 2],
  ['Part', SIZE, [SLOW, SLOW, SLOW, SLOW, SLOW, SLOW], 'throttled', 0],
  ['Part', SIZE, [SLOW], 'nothing at all', 4],
  ['Part', SIZE, [errorBody('InternalError'), null], 'nothing at all', 0],
  ['Complete', SIZE, [errorBody('InternalError'), errorBody('InternalError')], 'service-unavailable', 2],
  ['Complete', SIZE, [errorBody('InternalError')], 'nothing at all', 2],
  ['Complete', SIZE, ['', ''], 'service-unavailable', 2],
  ['Complete', SIZE, [errorBody('BadDigest'), errorBody('BadDigest')], 'answer-mismatch', 2],
  ['Complete', SIZE, [null, errorBody('PreconditionFailed')], 'target-changed', 2],
];

describe('an answer of 200', () => {
  it.each(BROKEN)('to %s (%d bytes) with %j inside comes to %s', async (call, size, bodies, code, times) => {
    broken[call] = [...bodies];
    if (code === 'nothing at all') await expect(copy(size)).resolves.toMatchObject({ etag: size === 1 ? ETAG : 'done-3' });
    else await expect(copy(size)).rejects.toMatchObject({ code });
    if (times > 0) expect(calls.filter((name) => name === call)).toHaveLength(times);
  });
});
