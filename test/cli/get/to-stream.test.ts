import { createHash, randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openApi } from '../../../cli/api/api.ts';
import { inspect } from '../../../cli/get/remote-object.ts';
import { downloadToStream } from '../../../cli/get/to-stream.ts';
import { PART, quiet, TOKEN } from './downloads.ts';
import { type FakeApi, problem, startFakeApi } from './fake-api.ts';

const PARTS = 12;
const BODY = randomBytes(PARTS * PART - 10);
const PARALLEL = 3;

let api: FakeApi;
beforeEach(async () => {
  api = await startFakeApi(BODY);
  vi.spyOn(Math, 'random').mockReturnValue(0);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await api.close();
});

async function stream(out: Writable, signal = new AbortController().signal) {
  const asked = openApi({ url: api.url, token: TOKEN, connections: PARALLEL });
  try {
    const object = await inspect(asked, { key: 'k', versionId: null }, signal);
    return await downloadToStream(asked, object, out, { parallel: PARALLEL, partBytes: PART, signal, progress: quiet });
  } finally {
    asked.close();
  }
}

function sink(slow = 0) {
  const chunks: Buffer[] = [];
  const out = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _, done) {
      chunks.push(Buffer.from(chunk));
      if (slow === 0) done();
      else setTimeout(done, slow);
    },
  });
  return { out, bytes: () => Buffer.concat(chunks) };
}

test('parts come in order, whichever is there first', async () => {
  api.answer = ({ first }, _, serve) => setTimeout(serve, first % (3 * PART) === 0 ? 60 : 0);
  const { out, bytes } = sink();
  expect(await stream(out)).toEqual({ proof: 'length only', resumedBytes: 0 });
  expect(bytes().equals(BODY)).toBe(true);
});

test('no more parts are ahead of a slow reader than come at once', async () => {
  const { out, bytes } = sink(15);
  let most = 0;
  api.answer = ({ first }, _, serve) => {
    most = Math.max(most, (first - bytes().length) / PART);
    serve();
  };
  await stream(out);
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThan(PARALLEL);
});

test('nothing is written for an object of no bytes', async () => {
  api.object.body = Buffer.alloc(0);
  const { out, bytes } = sink();
  expect(await stream(out)).toMatchObject({ proof: 'length only' });
  expect(bytes()).toHaveLength(0);
});

test('a part that breaks is not written twice', async () => {
  api.answer = (asked, response, serve) => {
    if (asked.first !== 2 * PART || asked.time > 1) return serve();
    response.writeHead(206, { etag: '"first"', 'content-range': `bytes 2000-2999/${BODY.length}`, 'content-length': PART });
    response.write(BODY.subarray(2 * PART, 2 * PART + 700), () => response.destroy());
  };
  const { out, bytes } = sink();
  await stream(out);
  expect(bytes().equals(BODY)).toBe(true);
});

test('other bytes than S3 stored are a failure at the end', async () => {
  const digest = createHash('sha256').update(BODY).digest('base64');
  api.object.headers = { 'x-amz-checksum-sha256': digest };
  const { out, bytes } = sink();
  expect(await stream(out)).toMatchObject({ proof: 'sha256' });
  expect(bytes().equals(BODY)).toBe(true);
  api.object.body = Buffer.from(BODY).fill(0, 5, 6);
  await expect(stream(sink().out)).rejects.toMatchObject({
    message: expect.stringContaining('not what S3 stored'),
    left: expect.stringContaining('not the object'),
  });
});

test('what was written before a part failed is the beginning of the object, and nobody waits for others', async () => {
  api.answer = (asked, response, serve) => {
    if (asked.first === 5 * PART) problem(response, 403, 'forbidden');
    else if (asked.first < 5 * PART) serve();
  };
  const { out, bytes } = sink();
  await expect(stream(out)).rejects.toMatchObject({ code: 'forbidden', left: expect.stringContaining('its beginning at most') });
  expect(bytes().equals(BODY.subarray(0, 5 * PART))).toBe(true);
  const asked = api.asked.length;
  await delay(50);
  expect(api.asked).toHaveLength(asked);
});

test('a reader that goes away ends it', async () => {
  let written = 0;
  const out = new Writable({
    write(_chunk, _, done) {
      written += 1;
      done(written > 2 ? new Error('EPIPE') : null);
    },
  });
  await expect(stream(out)).rejects.toThrow('Standard output was closed before the end (EPIPE).');
  expect(api.asked.length).toBeLessThan(PARTS);
});

test('whoever gives it up need not wait for a reader that stands still', async () => {
  const interruption = new AbortController();
  const out = new Writable({ highWaterMark: 1, write: () => setTimeout(() => interruption.abort(new Error('interrupted')), 20) });
  await expect(stream(out, interruption.signal)).rejects.toThrow('interrupted');
});
