import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { functionArn } from '../../../sandbox/lambda/index.ts';
import type { Authorizer, Throttle, Throttling } from '../../../sandbox/rest-api/index.ts';
import { createThrottle } from '../../../sandbox/rest-api/throttle.ts';
import { type Gateway, method, openGateway } from './gateway.ts';

const UNLIMITED: Throttle = { rateLimit: 10_000, burstLimit: 5_000 };
const route = (resourcePath: string, httpMethod = 'GET') => ({ method: method(httpMethod, resourcePath), pathParameters: {} });

/** A throttle with a clock that a test sets. */
function open(throttling: Partial<Throttling>) {
  let time = 1_000_000;
  const settings = { default: UNLIMITED, methods: {}, ...throttling };
  const api = { id: 'api1234567', stage: 'dev', binaryMediaTypes: [], gatewayResponses: {}, methods: [], throttling: settings };
  const admit = createThrottle(api, () => time);
  return {
    wait: (ms: number) => {
      time += ms;
    },
    /** How many of so many requests at once are let in. */
    admitted: (count: number, path = '/a', verb = 'GET') =>
      Array.from({ length: count }, () => admit(route(path), verb)).filter(Boolean).length,
  };
}

describe('a bucket', () => {
  test('lets a burst in and then the rate', () => {
    const { admitted, wait } = open({ default: { rateLimit: 10, burstLimit: 5 } });
    expect(admitted(20)).toBe(5);
    wait(99);
    expect(admitted(1)).toBe(0);
    wait(1);
    expect(admitted(2)).toBe(1);
    wait(300);
    expect(admitted(20)).toBe(3);
  });

  test('holds no more than its burst, however long nobody asks', () => {
    const { admitted, wait } = open({ default: { rateLimit: 10, burstLimit: 5 } });
    expect(admitted(1)).toBe(1);
    wait(3_600_000);
    expect(admitted(20)).toBe(5);
  });

  test('of less than one a second fills slowly', () => {
    const { admitted, wait } = open({ default: { rateLimit: 0.5, burstLimit: 1 } });
    expect(admitted(2)).toBe(1);
    wait(1999);
    expect(admitted(1)).toBe(0);
    wait(1);
    expect(admitted(2)).toBe(1);
  });

  test('of nothing lets nobody in', () => {
    const { admitted, wait } = open({ default: { rateLimit: 0, burstLimit: 0 } });
    expect(admitted(1)).toBe(0);
    wait(3_600_000);
    expect(admitted(3)).toBe(0);
  });

  test('loses nothing to a clock that is set back', () => {
    const { admitted, wait } = open({ default: { rateLimit: 10, burstLimit: 5 } });
    expect(admitted(3)).toBe(3);
    wait(-60_000);
    expect(admitted(3)).toBe(2);
    wait(100);
    expect(admitted(3)).toBe(1);
  });

  test('lets in no more than its burst and its rate over any time, and no less of a steady stream below the rate', () => {
    const requests = fc.array(fc.record({ after: fc.integer({ min: 0, max: 400 }), count: fc.integer({ min: 0, max: 20 }) }), {
      maxLength: 50,
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 30 }), requests, (rateLimit, burstLimit, asked) => {
        const { admitted, wait } = open({ default: { rateLimit, burstLimit } });
        let elapsed = 0;
        let total = 0;
        for (const { after, count } of asked) {
          wait(after);
          elapsed += after;
          total += admitted(count);
          expect(total).toBeLessThanOrEqual(burstLimit + (elapsed / 1000) * rateLimit + 1e-6);
        }
        wait(1000 / rateLimit + 1);
        expect(admitted(1)).toBe(1);
      }),
    );
  });
});

describe('buckets', () => {
  test('are one for each method, with the same default limit', () => {
    const { admitted } = open({ default: { rateLimit: 1, burstLimit: 2 } });
    expect([admitted(5, '/a'), admitted(5, '/b'), admitted(5, '/a', 'POST'), admitted(5, '/a')]).toEqual([2, 2, 2, 0]);
  });

  test('have their own limits where the stage says so, above the default too', () => {
    const { admitted } = open({ default: { rateLimit: 1, burstLimit: 2 }, methods: { 'GET /a': { rateLimit: 1, burstLimit: 4 } } });
    expect([admitted(9, '/a'), admitted(9, '/a', 'POST'), admitted(9, '/b')]).toEqual([4, 2, 2]);
  });

  test('stand under the one of the account: 5,000 at once and 10,000 a second', () => {
    const { admitted, wait } = open({ methods: { 'GET /a': { rateLimit: 1e6, burstLimit: 1e6 } } });
    expect([admitted(4_000, '/a'), admitted(2_000, '/b'), admitted(1, '/c')]).toEqual([4_000, 1_000, 0]);
    wait(100);
    expect(admitted(2_000, '/a')).toBe(1_000);
  });
});

describe('a request beyond', () => {
  let gateway: Gateway;
  let time = 0;
  beforeAll(async () => {
    gateway = await openGateway({ now: () => time });
    await gateway.bench.deploy('fn', "export const handler = async () => ({ statusCode: 200, body: 'served' });");
    await gateway.bench.deploy('gate', "export const handler = async () => { console.log('asked'); throw new Error('Unauthorized'); };");
  });
  afterAll(() => gateway.close());

  const throttling: Throttling = { default: { rateLimit: 1, burstLimit: 1 }, methods: {} };
  const get = (path = '/a') => gateway.send('GET', path);

  test('is answered 429 until there is a token again', async () => {
    gateway.deploy([method('GET', '/a'), method('GET', '/{key+}')], { throttling });
    expect((await get()).status).toBe(200);
    const reply = await get();
    expect([reply.status, reply.headers['x-amzn-errortype'], reply.body.toString()]).toEqual([
      429,
      'TooManyRequestsException',
      '{"message":"Too Many Requests"}',
    ]);
    expect([(await get('/b')).status, (await get('/c')).status]).toEqual([200, 429]);
    time += 1000;
    expect([(await get()).status, (await get()).status]).toEqual([200, 429]);
  });

  test('has the gateway response THROTTLED, else the one of DEFAULT_4XX', async () => {
    const templates = { 'application/json': '{"type":"$context.error.responseType"}' };
    const own = { statusCode: null, headers: { 'Retry-After': "'1'" }, templates };
    for (const gatewayResponses of [{ THROTTLED: own }, { DEFAULT_4XX: own }]) {
      gateway.deploy([method('GET', '/a')], { throttling, gatewayResponses });
      await get();
      const reply = await get();
      expect([reply.status, reply.headers['retry-after'], reply.body.toString()]).toEqual([429, '1', '{"type":"THROTTLED"}']);
    }
  });

  test('is not shown to an authorizer', async () => {
    const authorizer: Authorizer = {
      id: 'auth01',
      kind: 'REQUEST',
      functionArn: functionArn('gate'),
      ttlSeconds: 0,
      identitySources: ['method.request.header.Authorization'],
      validation: null,
    };
    gateway.deploy([method('GET', '/a', { authorization: { type: 'CUSTOM', authorizer } })], { throttling });
    const ask = async () => (await gateway.send('GET', '/a', { headers: { Authorization: 'x' } })).status;
    expect([await ask(), await ask()]).toEqual([401, 429]);
    await expect.poll(() => gateway.bench.printed.get('gate')?.match(/asked/g)?.length).toBe(1);
  });
});
