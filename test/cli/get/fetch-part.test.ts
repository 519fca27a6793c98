import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { download, type Folder, makeFolder, PART } from './downloads.ts';
import { type FakeApi, problem, startFakeApi } from './fake-api.ts';

const BODY = randomBytes(4 * PART);

let api: FakeApi;
let folder: Folder;

beforeEach(async () => {
  api = await startFakeApi(BODY);
  folder = makeFolder();
  vi.spyOn(Math, 'random').mockReturnValue(0);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await api.close();
  folder.remove();
});

const timesOf = (range: string) => api.ranges().filter((one) => one === range).length;
/** The second part is answered otherwise, as often as said. */
const failing = (times: number, how: FakeApi['answer']) => {
  api.answer = (asked, response, serve) => (asked.first === PART && asked.time <= times ? how(asked, response, serve) : serve());
};
const headersOf = (range: string) => ({ etag: '"first"', 'content-range': range, 'content-length': PART });

describe('a part is asked for again', () => {
  test.each<[what: string, how: FakeApi['answer']]>([
    ['a throttled one', (_, response) => problem(response, 429, 'none of ours')],
    ['one that a service failed over', (_, response) => problem(response, 503, 'throttled')],
    ['one that the gateway failed over', (_, response) => response.writeHead(502).end('{"message":"Internal server error"}')],
    ['one whose connection was cut before the answer', (_, response) => response.destroy()],
    [
      'one whose connection was cut half way',
      (_, response) => {
        response.writeHead(206, headersOf(`bytes 1000-1999/${BODY.length}`));
        response.write(BODY.subarray(PART, PART + 500), () => response.destroy());
      },
    ],
    [
      'one that ends early, without a word',
      (_, response) => {
        response.writeHead(206, { etag: '"first"', 'content-range': `bytes 1000-1999/${BODY.length}` });
        response.end(BODY.subarray(PART, PART + 999));
      },
    ],
  ])('%s', async (_, how) => {
    failing(2, how);
    await download(api, folder.file);
    expect(timesOf('1000-1999')).toBe(3);
    expect(folder.read().equals(BODY)).toBe(true);
  });

  test('one that sends nothing for too long', async () => {
    failing(1, (_, response) => {
      response.writeHead(206, headersOf(`bytes 1000-1999/${BODY.length}`));
      response.write(BODY.subarray(PART, PART + 10));
    });
    await download(api, folder.file, { idleMs: 100 });
    expect(timesOf('1000-1999')).toBe(2);
    expect(folder.read().equals(BODY)).toBe(true);
  });

  test('no sooner than it says', async () => {
    let refused = 0;
    let granted = 0;
    failing(1, (_, response) => {
      refused = performance.now();
      problem(response, 503, 'throttled', { 'retry-after': '1' });
    });
    const { answer } = api;
    api.answer = (asked, response, serve) => {
      if (asked.first === PART && asked.time === 2) granted = performance.now();
      answer(asked, response, serve);
    };
    await download(api, folder.file);
    expect(granted - refused).toBeGreaterThanOrEqual(1000);
  });

  test('five times at most', async () => {
    failing(99, (_, response) => problem(response, 503, 'throttled'));
    await expect(download(api, folder.file)).rejects.toMatchObject({
      message: 'a key/ü+%.bin cannot be fetched: 503 throttled (about throttled)',
      code: 'throttled',
      instance: 'urn:request:42',
      nextStep: expect.stringContaining('later'),
    });
    expect(timesOf('1000-1999')).toBe(5);
  });
});

describe('a part is asked for once', () => {
  test.each([
    [401, 'unauthenticated', 'Get a new token'],
    [403, 'forbidden', 'Ask for an access rule'],
    [404, 'not-found', 'Check the key'],
    [416, 'range-not-satisfiable', 'Ask for a range'],
    // Its status alone would say that it may heal.
    [503, 'kms-key-disabled', 'Enable the KMS key'],
  ])('where another try does not help: %d %s', async (status, code, step) => {
    failing(99, (_, response) => problem(response, status, code));
    await expect(download(api, folder.file)).rejects.toMatchObject({ status, code, nextStep: expect.stringContaining(step) });
    expect(timesOf('1000-1999')).toBe(1);
  });

  test.each<[what: string, said: string, how: FakeApi['answer']]>([
    [
      'another range',
      'another range',
      (_, response) => {
        response.writeHead(206, headersOf(`bytes 0-999/${BODY.length}`)).end(BODY.subarray(0, PART));
      },
    ],
    [
      'no range',
      'another range',
      (_, response) => {
        response.writeHead(206, { etag: '"first"' }).end(BODY.subarray(PART, 2 * PART));
      },
    ],
    [
      'a range of another length',
      'another range',
      (_, response) => {
        response.writeHead(206, headersOf('bytes 1000-1999/5000')).end(BODY.subarray(PART, 2 * PART));
      },
    ],
    ['the whole', 'the whole object', (_, response) => response.writeHead(200, { etag: '"first"' }).end(BODY)],
    [
      'more bytes',
      'more than the 1000 bytes',
      (_, response) => {
        const { 'content-length': __, ...headers } = headersOf(`bytes 1000-1999/${BODY.length}`);
        response.writeHead(206, headers).end(BODY.subarray(PART));
      },
    ],
    [
      'a part of another state',
      'changed while',
      (_, response) => {
        const headers = headersOf(`bytes 1000-1999/${BODY.length}`);
        response.writeHead(206, { ...headers, etag: '"second"' }).end(BODY.subarray(PART, 2 * PART));
      },
    ],
    [
      'a part of another version',
      'changed while',
      (_, response) => {
        const headers = headersOf(`bytes 1000-1999/${BODY.length}`);
        response.writeHead(206, { ...headers, 'x-sealdrop-version-id': 'v0' }).end(BODY.subarray(PART, 2 * PART));
      },
    ],
    ['a redirect', 'cannot be fetched: 307', (_, response) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end()],
  ])('where the answer is %s, and there is no file', async (_, said, how) => {
    failing(99, how);
    await expect(download(api, folder.file)).rejects.toThrow(said);
    expect(timesOf('1000-1999')).toBe(1);
    expect(folder.names()).not.toContain('object.bin');
  });
});
