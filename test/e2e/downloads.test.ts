/** What consumers fetch, through the shipped functions behind the gateway: every mode, by plain HTTP. */
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MODE_CASES } from '../contract/mode-contract.ts';
import { type LocalStack, startLocalStack } from './local-stack.ts';

const SIZE = 100_000;

let stack: LocalStack;
beforeAll(async () => {
  stack = await startLocalStack();
});
afterAll(() => stack?.stop());

const url = (key: string, query = '') => `/objects/${key.split('/').map(encodeURIComponent).join('/')}${query}`;
const read = (key: string, headers: Record<string, string> = {}, query = '', method = 'GET') =>
  stack.api(url(key, query), { headers, method });
const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer());

describe.each(MODE_CASES)('an object under $prefix ($mode)', ({ prefix }) => {
  const key = `${prefix}ranged.bin`;
  const body = randomBytes(SIZE);
  let etag: string;
  beforeAll(async () => {
    await stack.drop(key, body);
    await stack.settled();
    etag = (await read(key, {}, '', 'HEAD')).headers.get('etag') ?? '';
  });

  test.each([
    ['bytes=0-0', 0, 0],
    ['bytes=65530-65545', 65530, 65545],
    ['bytes=99990-', 99990, SIZE - 1],
    ['bytes=-10', SIZE - 10, SIZE - 1],
  ])('gives %s as a part, under the same ETag', async (range, first, last) => {
    const answer = await read(key, { range });
    expect(answer.status).toBe(206);
    expect((await bytesOf(answer)).equals(body.subarray(first, last + 1))).toBe(true);
    expect(answer.headers.get('content-range')).toBe(`bytes ${first}-${last}/${SIZE}`);
    expect(answer.headers.get('content-length')).toBe(String(last - first + 1));
    expect(answer.headers.get('etag')).toBe(etag);
  });

  test('says how long it is where a range is behind its end', async () => {
    const answer = await read(key, { range: `bytes=${SIZE}-` });
    expect([answer.status, answer.headers.get('content-range')]).toEqual([416, `bytes */${SIZE}`]);
    expect(await answer.json()).toMatchObject({ code: 'range-not-satisfiable' });
  });

  test('keeps caches and resumed downloads from mixing states', async () => {
    const unchanged = await read(key, { 'if-none-match': etag });
    expect([unchanged.status, unchanged.headers.get('etag'), (await bytesOf(unchanged)).length]).toEqual([304, etag, 0]);
    expect((await read(key, { 'if-match': '"another"' })).status).toBe(412);
    expect((await read(key, { range: 'bytes=0-9', 'if-range': etag })).status).toBe(206);

    const newer = randomBytes(SIZE);
    await stack.drop(key, newer);
    await stack.settled();
    const mixed = await read(key, { range: 'bytes=10-19', 'if-range': etag });
    expect(mixed.status).toBe(200);
    expect((await bytesOf(mixed)).equals(newer)).toBe(true);
    expect((await read(key, { range: 'bytes=10-19', 'if-match': etag })).status).toBe(412);
  });

  test('gives an older version to who asks for it', async () => {
    const versioned = `${prefix}versions.txt`;
    await stack.drop(versioned, 'first');
    await stack.settled();
    const version = (await read(versioned)).headers.get('x-sealdrop-version-id');
    await stack.drop(versioned, 'second');
    await stack.settled();
    expect(await (await read(versioned)).text()).toBe('second');
    const older = await read(versioned, {}, `?versionId=${version}`);
    expect([older.status, await older.text(), older.headers.get('x-sealdrop-version-id')]).toEqual([200, 'first', version]);
    for (const method of ['GET', 'HEAD']) expect((await read(versioned, {}, '?versionId=nonsense', method)).status).toBe(404);
  });

  test('that is empty has no ranges but is all of its own end', async () => {
    const empty = `${prefix}empty`;
    await stack.drop(empty, Buffer.alloc(0));
    await stack.settled();
    expect([(await read(empty)).status, (await read(empty, { range: 'bytes=0-' })).status]).toEqual([200, 416]);
    const end = await read(empty, { range: 'bytes=-5' });
    expect([end.status, (await bytesOf(end)).length]).toEqual([200, 0]);
  });
});

test('many ranges of one download are one event, which tells how many', async () => {
  const key = 'customer/film.bin';
  const body = randomBytes(50_000);
  await stack.drop(key, body);
  await stack.settled();
  const parts = await Promise.all(
    Array.from({ length: 10 }, (_, at) => read(key, { range: `bytes=${at * 5000}-${at * 5000 + 4999}` }).then(bytesOf)),
  );
  expect(Buffer.concat(parts).equals(body)).toBe(true);
  const downloads = (await stack.history(key)).filter(({ action }) => action === 'ObjectDownloaded');
  // A run that crosses the end of five minutes has two.
  expect(downloads.length).toBeLessThanOrEqual(2);
  expect(downloads.reduce((sum, { ranges }) => sum + Number(ranges), 0)).toBe(10);
});

test('?download gives it a name of its own', async () => {
  await stack.drop('s3/Übersicht 100%.md', 'x');
  await stack.settled();
  const answer = await read('s3/Übersicht 100%.md', {}, '?download');
  expect(answer.headers.get('content-disposition')).toBe(
    `attachment; filename="_bersicht 100_.md"; filename*=UTF-8''%C3%9Cbersicht%20100%25.md`,
  );
});

test.each(MODE_CASES)('an object under $prefix comes with the checksum of the whole, in HEAD and GET', async ({ prefix }) => {
  const key = `${prefix}checked.txt`;
  await stack.drop(key, 'hello', { ChecksumAlgorithm: 'SHA256' });
  await stack.settled();
  for (const method of ['GET', 'HEAD']) {
    const { headers } = await read(key, {}, '', method);
    expect(headers.get('x-amz-checksum-sha256')).toBe('LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=');
    expect(headers.get('x-amz-checksum-type')).toBe('FULL_OBJECT');
  }
});

test('a HEAD says the length that a GET sends', async () => {
  await stack.drop('s3/head.txt', 'twelve bytes');
  await stack.settled();
  const head = await new Promise<Record<string, unknown>>((resolve, reject) => {
    const headers = { authorization: `Bearer ${stack.env.SEALDROP_TOKEN}` };
    request(`${stack.env.SEALDROP_API_URL}${url('s3/head.txt')}`, { method: 'HEAD', headers }, (answer) => resolve(answer.headers))
      .on('error', reject)
      .end();
  });
  expect(head).toMatchObject({ 'content-length': '12', 'x-sealdrop-length': '12', 'accept-ranges': 'bytes' });
});

test('who chooses the id of their requests hides none of them', async () => {
  const key = 's3/counted.bin';
  await stack.drop(key, randomBytes(100));
  await stack.settled();
  const chosen = { 'x-amzn-requestid': 'chosen-by-the-client' };
  const answers = await Promise.all([0, 1, 2].map((at) => read(key, { ...chosen, range: `bytes=${at * 10}-${at * 10 + 9}` })));
  expect(answers.map(({ status, headers }) => [status, headers.get('x-amzn-requestid')])).toEqual(
    Array(3).fill([206, 'chosen-by-the-client']),
  );
  await Promise.all([1, 2].map(() => read(key, chosen)));
  const events = (await stack.history(key)).filter(({ action }) => action === 'ObjectDownloaded');
  expect(events.filter(({ ranges }) => ranges !== undefined).reduce((sum, { ranges }) => sum + Number(ranges), 0)).toBe(3);
  expect(events.filter(({ ranges }) => ranges === undefined)).toHaveLength(2);
});
