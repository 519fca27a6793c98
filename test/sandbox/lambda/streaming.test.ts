import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openWorkbench, type Workbench } from './workbench.ts';

const MIB = 1024 * 1024;
const DELIMITER = '\0'.repeat(8);

let bench: Workbench;
beforeEach(() => {
  bench = openWorkbench();
});
afterEach(() => bench.close());

async function stream(name: string, event = '{}'): Promise<{ contentType: string; body: Readable }> {
  const result = await bench.functions.invokeStreaming(name, event);
  if (!('contentType' in result) || result.body === null) throw new Error(`no stream: ${JSON.stringify(result)}`);
  return { contentType: result.contentType, body: result.body };
}

const streaming = (body: string) => `export const handler = awslambda.streamifyResponse(async (event, out, context) => { ${body} });`;

test('a prelude, eight zero bytes and the body come in this order', async () => {
  await bench.deploy(
    'http',
    streaming(`out = awslambda.HttpResponseStream.from(out, { statusCode: 201 }); out.write('hel'); out.end('lo');`),
  );
  const { contentType, body } = await stream('http');
  expect(contentType).toBe('application/vnd.awslambda.http-integration-response');
  expect((await buffer(body)).toString()).toBe(`{"statusCode":201}${DELIMITER}hello`);
});

test('a prelude hangs on the first write: end() alone sends none, as on AWS', async () => {
  await bench.deploy('bare', streaming(`awslambda.HttpResponseStream.from(out, { statusCode: 200 }).end();`));
  expect(await bench.functions.invokeStreaming('bare', '{}')).toMatchObject({ body: null });
  await bench.deploy('empty', streaming(`out = awslambda.HttpResponseStream.from(out, { statusCode: 200 }); out.write(''); out.end();`));
  expect((await buffer((await stream('empty')).body)).toString()).toBe(`{"statusCode":200}${DELIMITER}`);
});

test('without a prelude the bytes are raw, and objects are written as JSON', async () => {
  await bench.deploy('raw', streaming(`out.setContentType('text/plain'); out.write({ a: 1 }); out.end();`));
  const { contentType, body } = await stream('raw');
  expect(contentType).toBe('text/plain');
  expect((await buffer(body)).toString()).toBe('{"a":1}');
});

test('a buffered invocation of a streaming function gets the whole stream', async () => {
  await bench.deploy('gathered', streaming(`for (let i = 0; i < 100; i++) out.write('0123456789'); out.end();`));
  expect((await bench.functions.invoke('gathered', '{}')).payload.toString()).toBe('0123456789'.repeat(100));
});

test('a buffer that the handler reuses arrives as it was when written', async () => {
  await bench.deploy(
    'reuses',
    streaming(
      `const chunk = Buffer.alloc(65536); for (let i = 0; i < 32; i++) { chunk.fill(i); if (!out.write(Buffer.from(chunk))) await new Promise((d) => out.once('drain', d)); } out.write(chunk); out.write(chunk); out.end();`,
    ),
  );
  const bytes = await buffer((await stream('reuses')).body);
  expect(bytes.length).toBe(34 * 65536);
  expect([0, 31, 32, 33].map((i) => bytes[i * 65536])).toEqual([0, 31, 31, 31]);
});

test('a slow reader stops the writer after about a window', async () => {
  await bench.deploy(
    'fast',
    `export let written = 0;
     export const handler = awslambda.streamifyResponse(async (event, out) => {
       for (; written < 64; written++) { if (!out.write(Buffer.alloc(${MIB}))) await new Promise((done) => out.once('drain', done)); console.log('written', written + 1); }
       out.end();
     });`,
  );
  const { body } = await stream('fast');
  await sleep(300);
  const count = () => bench.printed.get('fast')?.match(/written/g)?.length ?? 0;
  const stalled = count();
  expect(stalled).toBeLessThan(8);
  await sleep(200);
  expect(count()).toBe(stalled);
  let total = 0;
  for await (const chunk of body) total += chunk.length;
  expect(total).toBe(64 * MIB);
});

test('a reader that goes away fails the stream inside the function and frees the environment', async () => {
  await bench.deploy(
    'left',
    `import { pipeline } from 'node:stream/promises'; import { Readable } from 'node:stream';
     export const handler = awslambda.streamifyResponse(async (event, out) => {
       if (event === 'again') { out.end('again'); return; }
       const endless = new Readable({ read() { this.push(Buffer.alloc(65536)); } });
       await pipeline(endless, out).catch((error) => console.log('stopped:', error.message));
     });`,
  );
  const { body } = await stream('left');
  body.destroy();
  await expect.poll(() => bench.printed.get('left')).toContain('stopped: The client closed the connection.');
  expect((await bench.functions.invoke('left', '"again"')).payload.toString()).toBe('again');
  expect(bench.functions.environments('left')).toBe(1);
});

test('a failure before the first byte is an ordinary failure', async () => {
  await bench.deploy('early', streaming(`awslambda.HttpResponseStream.from(out, { statusCode: 200 }); throw new Error('early');`));
  const result = await bench.functions.invokeStreaming('early', '{}');
  expect(result).toMatchObject({ functionError: 'Unhandled' });
});

test.each([
  ['an error', `throw new Error('midway');`, 'midway'],
  ['an exit', `await new Promise((done) => setTimeout(done, 50)); process.exit(1);`, 'Runtime exited'],
  ['a time-out', `await new Promise(() => {});`, 'Task timed out after 1.00 seconds'],
])('%s in mid-body breaks the stream, never ends it', async (_what, statement, message) => {
  await bench.deploy('breaks', streaming(`out.write('begun'); ${statement}`), { timeoutSeconds: 1 });
  const { body } = await stream('breaks');
  body.resume();
  const ended = new Promise((resolve) => body.once('end', resolve)).then(() => 'end');
  const failed = new Promise((resolve) => body.once('error', (error) => resolve(error.message)));
  expect(await Promise.race([ended, failed])).toContain(message);
});

test('a stream that the handler never ends times out', async () => {
  await bench.deploy('unended', streaming(`out.write('x');`), { timeoutSeconds: 1 });
  const { body } = await stream('unended');
  await expect(buffer(body)).rejects.toThrow('Task timed out');
});

test('an ordinary handler answers a streamed invocation whole', async () => {
  await bench.deploy('plain', 'export const handler = async () => ({ statusCode: 200 });');
  expect(await bench.functions.invokeStreaming('plain', '{}')).toMatchObject({
    functionError: null,
    payload: Buffer.from('{"statusCode":200}'),
  });
});
