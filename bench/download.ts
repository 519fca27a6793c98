/** Downloads through the API against the same objects read straight from the sandbox's S3 with the key. */

import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { StackClients } from '../local/clients.ts';
import type { LocalServer } from './local-server.ts';
import { compared, type Figure, percentile, timed } from './measure.ts';

const SMALL_BYTES = 10 * 1024;
/** Lambda streams at most 200 MiB of one response. */
const LARGE_BYTES = 190 * 1024 * 1024;
const SMALL_OBJECTS = 100;
const MEMORY_SAMPLE_MS = 50;
const SCENARIO = 'download';

export async function benchDownload(clients: StackClients, server: LocalServer, requests: number): Promise<Figure[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const api = (key: string) => drain(`${clients.apiUrl}/objects/${key}`, clients.token, agent);
  const key = await clients.customerKey();
  const sse = { SSECustomerAlgorithm: 'AES256', SSECustomerKey: key.toString('base64') };
  const straight = async (name: string) => {
    const { Body } = await clients.s3.send(new GetObjectCommand({ Bucket: clients.targetBucket, Key: name, ...sse }));
    let bytes = 0;
    if (Body) for await (const chunk of Body as AsyncIterable<Buffer>) bytes += chunk.length;
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
      const throughApi = await timed(count, parallel, (index) => api(name(index)));
      const direct = await timed(count, parallel, (index) => straight(name(index)));
      const at = `10 KiB SSE-C, ${parallel} at once`;
      figures.push(
        compared(SCENARIO, `${at}: through the API`, 'requests/s', count / throughApi.seconds, {
          what: 'S3 read straight with the key (SDK)',
          value: count / direct.seconds,
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
    return figures;
  } finally {
    agent.destroy();
  }
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

/** @returns the body's bytes; -1 unless the answer is 200 */
function drain(url: string, token: string, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request(url, { agent, headers: { authorization: `Bearer ${token}` } }, (answer) => {
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      answer.on('end', () => resolve(answer.statusCode === 200 ? bytes : -1));
      answer.on('error', reject);
    });
    call.on('error', reject);
    call.end();
  });
}
