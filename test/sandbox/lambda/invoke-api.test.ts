import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLambdaService } from '../../../sandbox/lambda/index.ts';
import { aws, hasAwsCli } from '../wire/aws-cli.ts';
import { startSandbox } from '../wire/sandbox-server.ts';
import { openWorkbench, type Workbench } from './workbench.ts';

let bench: Workbench;
beforeEach(async () => {
  bench = openWorkbench();
  await bench.deploy(
    'fn',
    `export const handler = async (event) => { console.log('ran'); if (event.fail) throw new Error('failed'); return { got: event }; };`,
  );
});
afterEach(() => bench.close());

/** Hands requests to the service without signatures: those are the wire's matter. */
async function call(method: string, path: string, body = '', headers: Record<string, string> = {}) {
  const service = createLambdaService(bench.functions, bench.access.judge);
  const server = createServer((request, response) => {
    const [rawPath = '', query] = (request.url ?? '').split('?');
    void service.handle(
      {
        method: request.method ?? '',
        rawPath,
        query: new URLSearchParams(query),
        headers: request.headers,
        body: Readable.from(request),
        trailers: {},
        contentLength: body.length,
        principal: bench.credentials.administrator().principal,
        signature: null,
        requestId: 'request-1',
        secure: true,
      },
      response,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const reply = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers, ...(body === '' ? {} : { body }) });
    return { status: reply.status, headers: reply.headers, text: await reply.text() };
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

const INVOKE = '/2015-03-31/functions/fn/invocations';

describe('Invoke', () => {
  test('answers with the payload', async () => {
    const { status, headers, text } = await call('POST', INVOKE, '{"a":1}');
    expect([status, headers.get('x-amz-executed-version'), headers.get('x-amz-function-error'), text]).toEqual([
      200,
      '$LATEST',
      null,
      '{"got":{"a":1}}',
    ]);
  });
  test('answers 200 with X-Amz-Function-Error when the function failed', async () => {
    const { status, headers, text } = await call('POST', INVOKE, '{"fail":true}');
    expect([status, headers.get('x-amz-function-error')]).toEqual([200, 'Unhandled']);
    expect(JSON.parse(text)).toMatchObject({ errorType: 'Error', errorMessage: 'failed' });
  });
  test('of type Event answers 202 at once and runs the function', async () => {
    const { status, text } = await call('POST', INVOKE, '{}', { 'x-amz-invocation-type': 'Event' });
    expect([status, text]).toEqual([202, '']);
    await expect.poll(() => bench.printed.get('fn')).toContain('ran');
  });
  test('of type DryRun answers 204 and runs nothing', async () => {
    expect((await call('POST', INVOKE, '{}', { 'x-amz-invocation-type': 'DryRun' })).status).toBe(204);
    expect(bench.functions.environments('fn')).toBe(0);
  });
  test.each([
    ['/2015-03-31/functions/other/invocations', '{}', {}, 404, 'ResourceNotFoundException'],
    [INVOKE, '{nope', {}, 400, 'InvalidRequestContentException'],
    [INVOKE, '{}', { 'x-amz-invocation-type': 'Other' }, 400, 'InvalidParameterValueException'],
    [`${INVOKE}?Qualifier=prod`, '{}', {}, 501, 'NotImplemented'],
    ['/2021-11-15/functions/fn/response-streaming-invocations', '{}', {}, 501, 'NotImplemented'],
  ])('%s with %s %j is %i %s', async (path, body, headers, status, code) => {
    const reply = await call('POST', path, body, headers);
    expect([reply.status, reply.headers.get('x-amzn-errortype')]).toEqual([status, code]);
  });
});

test('functions are listed and described', async () => {
  const list = JSON.parse((await call('GET', '/2015-03-31/functions/')).text);
  const one = JSON.parse((await call('GET', '/2015-03-31/functions/fn')).text);
  expect(list.Functions).toEqual([one.Configuration]);
  expect(one.Configuration).toMatchObject({
    FunctionName: 'fn',
    Handler: 'handlers/fn.handler',
    Timeout: 10,
    MemorySize: 256,
    State: 'Active',
  });
});

test.runIf(hasAwsCli)('the AWS CLI invokes a function', async () => {
  await using sandbox = await startSandbox(() => ({ services: { lambda: createLambdaService(bench.functions, bench.access.judge) } }));
  const [event, answer] = [join(bench.dir, 'event.json'), join(bench.dir, 'answer.json')];
  writeFileSync(event, '{"b":2}');
  const printed = await aws(sandbox, 'lambda', 'invoke', '--function-name', 'fn', '--payload', `fileb://${event}`, answer);
  expect(printed).toEqual({ StatusCode: 200, ExecutedVersion: '$LATEST' });
  expect(readFileSync(answer, 'utf8')).toBe('{"got":{"b":2}}');
});
