/** Downloads through the API against the same objects read straight from the sandbox's S3 with the key. */

import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { StackClients } from '../local/clients.ts';
import type { LocalServer } from './local-server.ts';
import { compared, type Figure, median, percentile, timed } from './measure.ts';

const SMALL_BYTES = 10 * 1024;
/** Lambda streams at most 200 MiB of one response. */
const LARGE_BYTES = 190 * 1024 * 1024;
const SMALL_OBJECTS = 100;
const HUGE_BYTES = 1024 ** 3;
/** Below the 10 MB that the gateway streams at full speed. */
const RANGE_BYTES = 5 * 1024 * 1024;
const RANGES_AT_ONCE = 8;
const MEMORY_SAMPLE_MS = 50;
const SCENARIO = 'download';

export async function benchDownload(clients: StackClients, server: LocalServer, requests: number): Promise<Figure[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const api = (key: string, firstBytes?: number[]) => drain(`${clients.apiUrl}/objects/${key}`, clients.token, agent, { firstBytes });
  const key = await clients.customerKey();
  const sse = { SSECustomerAlgorithm: 'AES256', SSECustomerKey: key.toString('base64') };
  const straight = async (name: string, firstBytes?: number[]) => {
    const started = performance.now();
    const { Body } = await clients.s3.send(new GetObjectCommand({ Bucket: clients.targetBucket, Key: name, ...sse }));
    let bytes = 0;
    for await (const chunk of (Body ?? []) as AsyncIterable<Buffer>) {
      if (bytes === 0) firstBytes?.push(performance.now() - started);
      bytes += chunk.length;
    }
    return bytes;
  };
  const figures: Figure[] = [];
  try {
    await timed(SMALL_OBJECTS, 16, (index) => put(clients, `cards/small-${index}`, randomBytes(SMALL_BYTES)));
    await put(clients, 'cards/large', Buffer.alloc(LARGE_BYTES, 'sealdrop'));
    await readable(() => api('cards/large'), LARGE_BYTES);
    await readable(() => api(`cards/small-${SMALL_OBJECTS - 1}`), SMALL_BYTES);

    const name = (index: number) => `cards/small-${index % SMALL_OBJECTS}`;
    for (const parallel of [1, 50]) {
      const count = parallel === 1 ? Math.ceil(requests / 4) : requests;
      await timed(parallel * 4, parallel, (index) => api(name(index)));
      const firstBytes = { api: [] as number[], straight: [] as number[] };
      const throughApi = await timed(count, parallel, (index) => api(name(index), firstBytes.api));
      const direct = await timed(count, parallel, (index) => straight(name(index), firstBytes.straight));
      const at = `10 KiB SSE-C, ${parallel} at once`;
      figures.push(
        compared(SCENARIO, `${at}: through the API`, 'requests/s', count / throughApi.seconds, {
          what: 'S3 read straight with the key (SDK)',
          value: count / direct.seconds,
        }),
      );
      figures.push(
        compared(SCENARIO, `${at}: median time to first byte`, 'ms', median(firstBytes.api), {
          what: 'straight',
          value: median(firstBytes.straight),
        }),
      );
      figures.push(
        compared(SCENARIO, `${at}: p50`, 'ms', percentile(throughApi.latencies, 0.5), {
          what: 'straight p50',
          value: percentile(direct.latencies, 0.5),
        }),
      );
      figures.push(
        compared(SCENARIO, `${at}: p99`, 'ms', percentile(throughApi.latencies, 0.99), {
          what: 'straight p99',
          value: percentile(direct.latencies, 0.99),
        }),
      );
    }

    const before = server.residentMiB();
    const samples: number[] = [];
    const sampler = setInterval(() => samples.push(server.residentMiB()), MEMORY_SAMPLE_MS);
    const large = await timed(3, 1, () => api('cards/large'));
    clearInterval(sampler);
    const direct = await timed(3, 1, () => straight('cards/large'));
    const rate = (seconds: number) => (3 * LARGE_BYTES) / 1e6 / seconds;
    figures.push(
      compared(SCENARIO, '190 MiB SSE-C: through the API', 'MB/s', rate(large.seconds), {
        what: 'S3 read straight with the key (SDK)',
        value: rate(direct.seconds),
      }),
    );
    figures.push(
      compared('memory', 'server at most while 190 MiB flow, 3 times', 'MiB', Math.max(...samples), {
        what: 'server before',
        value: before,
      }),
    );
    figures.push(await hugeByRanges(clients, straight, agent));
    return figures;
  } finally {
    agent.destroy();
  }
}

/** What `sealdrop get` and download managers do. */
async function hugeByRanges(clients: StackClients, straight: (name: string) => Promise<number>, agent: Agent): Promise<Figure> {
  const url = `${clients.apiUrl}/objects/cards/huge`;
  const Body = Readable.from(zeros(HUGE_BYTES), { objectMode: false });
  await clients.s3.send(new PutObjectCommand({ Bucket: clients.ingestBucket, Key: 'cards/huge', Body, ContentLength: HUGE_BYTES }));
  await readable(() => drain(url, clients.token, agent, { range: { first: 0, last: 0 } }), 1);
  const count = Math.ceil(HUGE_BYTES / RANGE_BYTES);
  const range = (index: number) => ({ first: index * RANGE_BYTES, last: Math.min(HUGE_BYTES, (index + 1) * RANGE_BYTES) - 1 });
  let flowed = 0;
  const ranged = await timed(count, RANGES_AT_ONCE, async (index) => {
    const came = await drain(url, clients.token, agent, { range: range(index) });
    flowed += came;
  });
  const direct = await timed(1, 1, () => straight('cards/huge'));
  if (flowed !== HUGE_BYTES) throw new Error(`${flowed} bytes came of ${HUGE_BYTES}`);
  const rate = (seconds: number) => HUGE_BYTES / 1e6 / seconds;
  return compared(SCENARIO, `1 GiB SSE-C by ranges of 5 MiB, ${RANGES_AT_ONCE} at once: through the API`, 'MB/s', rate(ranged.seconds), {
    what: 'one GetObject straight from S3 with the key (SDK)',
    value: rate(direct.seconds),
  });
}

function* zeros(bytes: number): Generator<Buffer> {
  const chunk = Buffer.alloc(1024 * 1024);
  for (let at = 0; at < bytes; at += chunk.length) yield chunk.subarray(0, Math.min(chunk.length, bytes - at));
}

async function put(clients: StackClients, key: string, body: Buffer): Promise<void> {
  await clients.s3.send(new PutObjectCommand({ Bucket: clients.ingestBucket, Key: key, Body: body }));
}

async function readable(read: () => Promise<number>, bytes: number): Promise<void> {
  const deadline = Date.now() + 60_000;
  while ((await read()) !== bytes) {
    if (Date.now() > deadline) throw new Error('an object did not become readable within a minute');
    await delay(100);
  }
}

/** @returns the body's bytes; -1 unless the answer is 200, or 206 to a range */
function drain(
  url: string,
  token: string,
  agent: Agent,
  { range, firstBytes }: { range?: { first: number; last: number }; firstBytes?: number[] | undefined } = {},
): Promise<number> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, ...(range && { range: `bytes=${range.first}-${range.last}` }) };
    const call = request(url, { agent, headers }, (answer) => {
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => {
        if (bytes === 0) firstBytes?.push(performance.now() - started);
        bytes += chunk.length;
      });
      answer.on('end', () => resolve(answer.statusCode === (range === undefined ? 200 : 206) ? bytes : -1));
      answer.on('error', reject);
    });
    call.on('error', reject);
    call.end();
  });
}
