import { request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Gateway, method, openGateway } from './gateway.ts';

const LIMIT = 1024 * 1024;
let gateway: Gateway;
beforeEach(async () => {
  gateway = await openGateway({ maxStreamedBytes: LIMIT });
});
afterEach(() => gateway.close());

const streaming = (body: string) =>
  `import { pipeline } from 'node:stream/promises';
   export const handler = awslambda.streamifyResponse(async (event, raw) => {
     const open = (head) => awslambda.HttpResponseStream.from(raw, head);
     ${body}
   });`;

describe('a buffered integration', () => {
  const deploy = async (answer: string, more = {}) => {
    await gateway.bench.deploy('fn', `export const handler = async (event) => { ${answer} };`);
    gateway.deploy([method('GET', '/x'), method('HEAD', '/x')], more);
  };

  test('gives status, headers and body on', async () => {
    await deploy(
      `return { statusCode: 418, headers: { 'X-One': '1', 'X-Two': 'a' }, multiValueHeaders: { 'Set-Cookie': ['a=1', 'b=2'], 'X-Two': ['b', 'c'] }, body: 'tea' };`,
    );
    const reply = await gateway.send('GET', '/x');
    expect([reply.status, reply.body.toString()]).toEqual([418, 'tea']);
    expect(reply.headers).toMatchObject({
      'x-one': '1',
      'x-two': 'b, c',
      'set-cookie': ['a=1', 'b=2'],
      'content-length': '3',
      'content-type': 'application/json',
    });
  });

  test('renames the headers that the gateway keeps for itself', async () => {
    await deploy(`return { statusCode: 401, headers: { 'WWW-Authenticate': 'Bearer', 'Content-Length': '999' }, body: 'no' };`);
    const reply = await gateway.send('GET', '/x');
    expect(reply.headers['www-authenticate']).toBeUndefined();
    expect(reply.headers['x-amzn-remapped-www-authenticate']).toBe('Bearer');
    expect(reply.body.toString()).toBe('no');
  });

  test('decodes base64 only for a caller that accepts a binary type', async () => {
    await deploy(`return { statusCode: 200, body: '/wA=', isBase64Encoded: true };`, { binaryMediaTypes: ['image/png'] });
    expect((await gateway.send('GET', '/x', { headers: { Accept: 'image/png' } })).body).toEqual(Buffer.from([0xff, 0x00]));
    expect((await gateway.send('GET', '/x', { headers: { Accept: '*/*' } })).body.toString()).toBe('/wA=');
  });

  test('a HEAD has headers and no body', async () => {
    await deploy(`return { statusCode: 200, headers: { 'Content-Length': '5' }, body: '' };`);
    const reply = await gateway.send('HEAD', '/x');
    expect([reply.status, reply.headers['content-length'], reply.body.length]).toEqual([200, '5', 0]);
  });

  test.each([
    ['no object', `return 'text';`],
    ['nothing', 'return;'],
    ['no status', `return { body: 'x' };`],
    ['a status that is none', `return { statusCode: 'fine' };`],
    ['a body that is an object', 'return { statusCode: 200, body: {} };'],
    ['a header with a line feed', `return { statusCode: 200, headers: { 'x-a': 'b\\r\\nc: d' } };`],
    ['an error', `throw new Error('secret detail');`],
    ['an exit', 'process.exit(1);'],
    ['more than 6 MB', `return { statusCode: 200, body: 'x'.repeat(6 * 1024 * 1024) };`],
  ])('that gives %s is 502 without a detail', async (_what, answer) => {
    await deploy(answer);
    const reply = await gateway.send('GET', '/x');
    expect([reply.status, reply.body.toString()]).toEqual([502, '{"message":"Internal server error"}']);
  });

  test('that takes longer than its time-out is 504', async () => {
    await gateway.bench.deploy('fn', 'export const handler = () => new Promise((done) => setTimeout(done, 5000));');
    gateway.deploy([method('GET', '/x', { timeoutMs: 100 })]);
    const reply = await gateway.send('GET', '/x');
    expect([reply.status, reply.body.toString()]).toEqual([504, '{"message":"Endpoint request timed out"}']);
  });
});

describe('a streamed integration', () => {
  const deploy = async (body: string, settings = {}) => {
    await gateway.bench.deploy('fn', streaming(body), settings);
    gateway.deploy([method('GET', '/x', { streaming: true }), method('HEAD', '/x', { streaming: true })]);
  };

  test('gives head and body on, however they were cut', async () => {
    await deploy(`const out = open({ statusCode: 206, headers: { 'X-Long': 'x'.repeat(5000), 'Content-Type': 'text/plain' }, cookies: ['a=1'] });
                  for (const part of ['he', 'llo', '\\0'.repeat(8), ' you']) { out.write(part); await new Promise((done) => setTimeout(done, 5)); } out.end();`);
    const reply = await gateway.send('GET', '/x');
    expect([reply.status, reply.complete, reply.body.toString()]).toEqual([206, true, `hello${'\0'.repeat(8)} you`]);
    expect(reply.headers).toMatchObject({ 'content-type': 'text/plain', 'set-cookie': ['a=1'] });
  });

  test('streams before the function is done', async () => {
    await deploy(
      `const out = open({ statusCode: 200 }); out.write('first'); await new Promise((done) => setTimeout(done, 1000)); out.end('last');`,
    );
    const started = performance.now();
    const first = await new Promise<number>((resolve) => {
      httpRequest(`${gateway.url}/x`, { agent: false }, (incoming) =>
        incoming.once('data', () => resolve(performance.now() - started)).resume(),
      ).end();
    });
    expect(first).toBeLessThan(900);
  });

  test('passes megabytes unchanged', async () => {
    await deploy(`const { createHash } = await import('node:crypto'); const out = open({ statusCode: 200 });
                  for (let i = 0; i < 16; i++) { if (!out.write(createHash('shake256', { outputLength: 65536 }).update(String(i)).digest())) await new Promise((done) => out.once('drain', done)); } out.end();`);
    const { createHash } = await import('node:crypto');
    const expected = Buffer.concat(
      Array.from({ length: 16 }, (_, i) => createHash('shake256', { outputLength: 65536 }).update(String(i)).digest()),
    );
    expect((await gateway.send('GET', '/x')).body.equals(expected)).toBe(true);
  });

  test('a HEAD keeps the length that its head names', async () => {
    await deploy(`const out = open({ statusCode: 200, headers: { 'Content-Length': '12345' } }); out.write(''); out.end();`);
    const reply = await gateway.send('HEAD', '/x');
    expect([reply.status, reply.headers['content-length'], reply.body.length, reply.complete]).toEqual([200, '12345', 0, true]);
  });

  test.each([
    ['fails', `throw new Error('midway');`],
    ['exits', 'process.exit(1);'],
    ['times out', 'await new Promise(() => {});'],
  ])('that %s in mid-body breaks the connection, with and without a length', async (_what, statement) => {
    for (const headers of ['{}', `{ 'Content-Length': '100' }`]) {
      await deploy(
        `const out = open({ statusCode: 200, headers: ${headers} }); out.write('begun'); await new Promise((done) => setTimeout(done, 50)); ${statement}`,
        { timeoutSeconds: 1 },
      );
      const reply = await gateway.send('GET', '/x');
      expect([reply.status, reply.body.toString(), reply.complete]).toEqual([200, 'begun', false]);
    }
  });

  test.each([
    ['shorter', '6', false],
    ['as long', '5', true],
    ['longer', '4', false],
  ])('that is %s than its length is complete only when it matches', async (_what, length, complete) => {
    await deploy(`const out = open({ statusCode: 200, headers: { 'Content-Length': '${length}' } }); out.write('12345'); out.end();`);
    const reply = await gateway.send('GET', '/x').catch(() => ({ complete: false }));
    expect(reply.complete).toBe(complete);
  });

  test.each([
    [LIMIT - 1, true],
    [LIMIT, true],
    [LIMIT + 1, false],
  ])('of %i bytes is complete: %s', async (length, complete) => {
    await deploy(`const out = open({ statusCode: 200 }); out.write(Buffer.alloc(${length})); out.end();`);
    const reply = await gateway.send('GET', '/x').catch(() => ({ complete: false }));
    expect(reply.complete).toBe(complete);
  });

  test.each([
    ['fails before its head', `throw new Error('early');`],
    ['has no prelude', `raw.write('just text'); raw.end();`],
    ['ends without a write', `open({ statusCode: 200 }).end();`],
    ['has a prelude that is no JSON', `raw.write('{nope' + '\\0'.repeat(8)); raw.end();`],
    ['has a prelude without status', `raw.write('{}' + '\\0'.repeat(8)); raw.end();`],
    ['has a prelude above 16 KB', `const out = open({ statusCode: 200, headers: { a: 'x'.repeat(17000) } }); out.write('x'); out.end();`],
  ])('that %s is 502', async (_what, body) => {
    await deploy(body);
    const reply = await gateway.send('GET', '/x');
    expect([reply.status, reply.body.toString()]).toEqual([502, '{"message":"Internal server error"}']);
  });

  test('a client that leaves stops the function', async () => {
    await deploy(`const { Readable } = await import('node:stream'); const out = open({ statusCode: 200 });
                  await pipeline(new Readable({ read() { this.push(Buffer.alloc(1024)); setTimeout(() => {}, 5); } }), out).catch((error) => console.log('stopped', error.message));`);
    const outgoing = httpRequest(`${gateway.url}/x`, { agent: false }, (incoming) => incoming.once('data', () => outgoing.destroy()));
    outgoing.on('error', () => {});
    outgoing.end();
    await expect.poll(() => gateway.bench.printed.get('fn')).toContain('stopped The client closed the connection.');
  });

  test('a client that leaves in the midst of its body is no defect', async () => {
    await deploy(`const out = open({ statusCode: 200 }); out.write('served'); out.end();`);
    const told = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      const left = new Promise<void>((resolve) => {
        const outgoing = httpRequest(`${gateway.url}/x`, { agent: false, headers: { 'content-length': '5' } });
        outgoing.on('error', () => {}).on('close', resolve);
        outgoing.write('ab');
        setTimeout(() => outgoing.destroy(), 50);
      });
      await left;
      // Served after it: whatever was to be said of the first is said.
      expect((await gateway.send('GET', '/x')).body.toString()).toBe('served');
      expect(told).not.toHaveBeenCalled();
    } finally {
      told.mockRestore();
    }
  });

  test('a client that leaves before the first byte frees the environment', async () => {
    await deploy(`if (event.httpMethod === 'HEAD') { open({ statusCode: 200 }).write(''); raw.end(); return; }
                  await new Promise((done) => setTimeout(done, 300)); const out = open({ statusCode: 200 });
                  for (let i = 0; i < 64; i++) { if (!out.write(Buffer.alloc(65536)) && !out.destroyed) await new Promise((done) => out.once('drain', done).once('close', done)); }
                  console.log('over'); out.end();`);
    const outgoing = httpRequest(`${gateway.url}/x`, { agent: false });
    outgoing.on('error', () => {});
    outgoing.end();
    await sleep(150);
    outgoing.destroy();
    await expect.poll(() => gateway.bench.printed.get('fn')).toMatch(/over|closed the connection/);
    expect((await gateway.send('HEAD', '/x')).status).toBe(200);
    expect(gateway.bench.functions.environments('fn')).toBe(1);
  });
});
