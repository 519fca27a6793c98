import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { strToU8, zipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { InvokeResult } from '../../../sandbox/lambda/index.ts';
import { openWorkbench, type Workbench } from './workbench.ts';

let bench: Workbench;
beforeEach(() => {
  bench = openWorkbench({ maxEnvironments: 2 });
});
afterEach(() => bench.close());

const parse = ({ payload }: InvokeResult) => JSON.parse(payload.toString('utf8'));

describe('an invocation', () => {
  test('hands event and context over and gives the answer back', async () => {
    await bench.deploy(
      'echo',
      `export const handler = async (event, context) => ({ event, context, left: context.getRemainingTimeInMillis() });`,
    );
    const result = await bench.functions.invoke('echo', '{"a":["ü",1]}');
    expect(result.functionError).toBeNull();
    expect(parse(result)).toMatchObject({
      event: { a: ['ü', 1] },
      context: {
        awsRequestId: result.requestId,
        functionName: 'echo',
        functionVersion: '$LATEST',
        invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:echo',
        memoryLimitInMB: '256',
        logGroupName: '/aws/lambda/echo',
      },
    });
    expect(parse(result).left).toBeGreaterThan(5_000);
    expect(parse(result).left).toBeLessThanOrEqual(10_000);
  });

  test('answers null when the handler returns nothing', async () => {
    await bench.deploy('nothing', 'export const handler = async () => {};');
    expect((await bench.functions.invoke('nothing', '{}')).payload.toString()).toBe('null');
  });

  test('finds a function by name, ARN and partial ARN, and refuses an unknown one with 404', async () => {
    await bench.deploy('known', 'export const handler = async () => 1;');
    for (const name of ['known', 'arn:aws:lambda:us-east-1:000000000000:function:known', '000000000000:function:known', 'known:$LATEST']) {
      expect(parse(await bench.functions.invoke(name, '{}'))).toBe(1);
    }
    await expect(bench.functions.invoke('unknown', '{}')).rejects.toMatchObject({ status: 404, code: 'ResourceNotFoundException' });
  });

  test('a CommonJS bundle loads too', async () => {
    const zipPath = `${bench.dir}/other.zip`;
    writeFileSync(zipPath, zipSync({ 'handlers/common.js': strToU8('exports.handler = async () => typeof require;') }));
    await bench.deploy('common', '');
    bench.functions.put({ ...bench.functions.get('common'), zipPath });
    expect(parse(await bench.functions.invoke('common', '{}'))).toBe('function');
  });
});

describe("a function's environment", () => {
  test("has the runtime's variables, the function's own and credentials of its role, and nothing of the host's", async () => {
    process.env.SEALDROP_HOST_SECRET = 'host';
    try {
      await bench.deploy('env', 'export const handler = async () => process.env;', { variables: { GREETING: 'hello' } });
      const variables = parse(await bench.functions.invoke('env', '{}'));
      const credential = bench.credentials.find(variables.AWS_ACCESS_KEY_ID);
      expect(credential).toMatchObject({ secretAccessKey: variables.AWS_SECRET_ACCESS_KEY, sessionToken: variables.AWS_SESSION_TOKEN });
      expect(credential?.principal.roleArn).toBe('arn:aws:iam::000000000000:role/env-role');
      expect(Object.keys(variables).sort()).toEqual(
        [
          'AWS_ACCESS_KEY_ID',
          'AWS_DEFAULT_REGION',
          'AWS_ENDPOINT_URL',
          'AWS_EXECUTION_ENV',
          'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
          'AWS_LAMBDA_FUNCTION_NAME',
          'AWS_LAMBDA_FUNCTION_VERSION',
          'AWS_LAMBDA_INITIALIZATION_TYPE',
          'AWS_LAMBDA_LOG_GROUP_NAME',
          'AWS_LAMBDA_LOG_STREAM_NAME',
          'AWS_REGION',
          'AWS_SECRET_ACCESS_KEY',
          'AWS_SESSION_TOKEN',
          'GREETING',
          'LAMBDA_TASK_ROOT',
          'LANG',
          'TZ',
          '_HANDLER',
          '_X_AMZN_TRACE_ID',
        ].sort(),
      );
      expect(variables).toMatchObject({ AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x', GREETING: 'hello', _HANDLER: 'handlers/env.handler' });
    } finally {
      delete process.env.SEALDROP_HOST_SECRET;
    }
  });

  test('is kept warm for the next invocation', async () => {
    await bench.deploy('warm', 'let count = 0; export const handler = async () => ++count;');
    expect(parse(await bench.functions.invoke('warm', '{}'))).toBe(1);
    expect(parse(await bench.functions.invoke('warm', '{}'))).toBe(2);
    expect(bench.functions.environments('warm')).toBe(1);
  });

  test('grows on demand up to the limit; more invocations wait', async () => {
    await bench.deploy(
      'slow',
      `let busy = 0;
       export const handler = async (n) => { if (busy++ > 0) throw new Error('two at once'); await new Promise((done) => setTimeout(done, 50)); busy--; return n; };`,
    );
    const results = await Promise.all([1, 2, 3, 4, 5].map((n) => bench.functions.invoke('slow', String(n))));
    expect(results.map(parse)).toEqual([1, 2, 3, 4, 5]);
    expect(bench.functions.environments('slow')).toBe(2);
  });

  test('ends when it was idle for long enough', async () => {
    const own = openWorkbench({ idleMs: 20 });
    try {
      await own.deploy('idle', 'let count = 0; export const handler = async () => ++count;');
      await own.functions.invoke('idle', '{}');
      await expect.poll(() => own.functions.environments('idle')).toBe(0);
      expect(parse(await own.functions.invoke('idle', '{}'))).toBe(1);
    } finally {
      await own.close();
    }
  });

  test('is replaced when code or configuration change, and kept when nothing does', async () => {
    const source = 'let count = 0; export const handler = async () => process.env.MARK + ++count;';
    await bench.deploy('changing', source, { variables: { MARK: 'a' } });
    expect(parse(await bench.functions.invoke('changing', '{}'))).toBe('a1');
    await bench.deploy('changing', source, { variables: { MARK: 'a' } });
    expect(parse(await bench.functions.invoke('changing', '{}'))).toBe('a2');
    await bench.deploy('changing', source, { variables: { MARK: 'b' } });
    expect(parse(await bench.functions.invoke('changing', '{}'))).toBe('b1');
  });
});

describe('a failure', () => {
  test('of the handler is reported with type, message and trace, and leaves the environment warm', async () => {
    await bench.deploy(
      'throws',
      `let count = 0; export const handler = async () => { count++; if (count === 1) throw new TypeError('wrong thing'); return count; };`,
    );
    const result = await bench.functions.invoke('throws', '{}');
    expect(result.functionError).toBe('Unhandled');
    expect(parse(result)).toMatchObject({ errorType: 'TypeError', errorMessage: 'wrong thing' });
    expect(parse(result).trace[0]).toBe('TypeError: wrong thing');
    expect(parse(await bench.functions.invoke('throws', '{}'))).toBe(2);
  });

  test('by time-out kills the environment, even one that never yields', async () => {
    await bench.deploy(
      'hangs',
      `let count = 0; export const handler = async (event) => { count++; while (event === 'spin'); return count; };`,
      { timeoutSeconds: 1 },
    );
    const result = await bench.functions.invoke('hangs', '"spin"');
    expect(result.functionError).toBe('Unhandled');
    expect(parse(result)).toEqual({
      errorType: 'Sandbox.Timedout',
      errorMessage: `RequestId: ${result.requestId} Error: Task timed out after 1.00 seconds`,
    });
    expect(parse(await bench.functions.invoke('hangs', '{}'))).toBe(1);
  });

  test.each([
    ['process.exit(3)', 'Runtime.ExitError', 'Runtime exited with error: exit status 3'],
    ['process.exit(0)', 'Runtime.ExitError', 'Runtime exited without providing a reason'],
    ["setTimeout(() => { throw new RangeError('late'); }); await new Promise(() => {})", 'RangeError', 'late'],
    ["Promise.reject(new Error('unseen')); await new Promise(() => {})", 'Runtime.UnhandledPromiseRejection', 'unseen'],
  ])('by %s is that of one invocation; the next gets a fresh environment', async (statement, errorType, message) => {
    await bench.deploy(
      'crashes',
      `let count = 0; export const handler = async (event) => { count++; if (event === 'crash') { ${statement}; } return count; };`,
    );
    expect(parse(await bench.functions.invoke('crashes', '{}'))).toBe(1);
    const result = parse(await bench.functions.invoke('crashes', '"crash"'));
    expect(result.errorType).toBe(errorType);
    expect(result.errorMessage).toContain(message);
    expect(parse(await bench.functions.invoke('crashes', '{}'))).toBe(1);
  });

  test('by memory is reported as such', async () => {
    await bench.deploy('hungry', 'export const handler = async () => { const all = []; for (;;) all.push(new Array(1e5).fill({})); };', {
      memorySize: 32,
      timeoutSeconds: 25,
    });
    expect(parse(await bench.functions.invoke('hungry', '{}'))).toMatchObject({ errorType: 'Runtime.OutOfMemory' });
  });

  test.each([
    ["throw new Error('no configuration');", 'handlers/broken.handler', 'Error', 'no configuration'],
    [
      'export const other = 1;',
      'handlers/broken.handler',
      'Runtime.HandlerNotFound',
      'handlers/broken.handler is undefined or not exported',
    ],
    ['', 'handlers/absent.handler', 'Runtime.ImportModuleError', "Error: Cannot find module 'handlers/absent'"],
    ['', '../broken.handler', 'Runtime.MalformedHandlerName', 'Bad handler'],
  ])('of Init (%s, %s) is %s', async (source, handler, errorType, errorMessage) => {
    await bench.deploy('broken', source, { handler });
    expect(parse(await bench.functions.invoke('broken', '{}'))).toMatchObject({ errorType, errorMessage });
  });

  test('an answer is refused above 6 MB and passes at 6 MB', async () => {
    await bench.deploy('large', `export const handler = async (n) => 'x'.repeat(n);`);
    const limit = 6 * 1024 * 1024;
    expect((await bench.functions.invoke('large', String(limit - 2))).payload.length).toBe(limit);
    expect(parse(await bench.functions.invoke('large', String(limit - 1)))).toMatchObject({ errorType: 'Function.ResponseSizeTooLarge' });
  });
});

describe('what a function prints', () => {
  test('comes out in the format of the runtime, one line a call', async () => {
    await bench.deploy(
      'prints',
      `export const handler = async () => { console.log('two\\nlines', { a: 1 }); console.error('bad'); process.stdout.write('raw\\n'); };`,
    );
    const { requestId } = await bench.functions.invoke('prints', '{}');
    await expect.poll(() => bench.printed.get('prints')?.split('\n').length).toBe(4);
    const lines = bench.printed.get('prints')?.split('\n') ?? [];
    expect(lines[0]).toMatch(new RegExp(`^\\d{4}-.*Z\\t${requestId}\\tINFO\\ttwo\\rlines \\{ a: 1 \\}$`));
    expect(lines[1]).toMatch(/\tERROR\tbad$/);
    expect(lines[2]).toBe('raw');
  });
});

test('stopping ends invocations under way and those that wait', async () => {
  await bench.deploy('endless', 'export const handler = () => new Promise((done) => setTimeout(done, 60_000));');
  const pending = [1, 2, 3].map(() => bench.functions.invoke('endless', '{}'));
  await sleep(100);
  await bench.functions.stop();
  const results = await Promise.all(pending);
  expect(results.map(({ functionError }) => functionError)).toEqual(['Unhandled', 'Unhandled', 'Unhandled']);
});
