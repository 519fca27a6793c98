import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLambdaService, functionArn, openEventSourceMappings } from '../../../sandbox/lambda/index.ts';
import type { Principal } from '../../../sandbox/service.ts';
import { openSqs, type Sqs } from '../../../sandbox/sqs/sqs.ts';
import { openWorkbench, putRole, type Workbench } from './workbench.ts';

const QUEUE = 'arn:aws:sqs:us-east-1:000000000000:work';
const POLLING = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];

let bench: Workbench;
beforeEach(() => {
  bench = openWorkbench();
});
afterEach(() => bench.close());

/** The role of the function `fn`. */
const grant = (...actions: string[]) => putRole(bench.access, 'fn-role', actions.length === 0 ? ['sts:GetCallerIdentity'] : actions);

describe('a function', () => {
  test.each([
    ['is missing', () => bench.access.deleteRole('fn-role')],
    ['trusts another service', () => putRole(bench.access, 'fn-role', ['*'], 'ec2.amazonaws.com')],
  ])('whose role %s is not deployed', async (_why, spoil) => {
    await bench.deploy('fn', 'export const handler = async () => 1;');
    spoil();
    expect(() => bench.functions.put({ ...bench.functions.get('fn'), description: 'again' })).toThrow(
      'The role defined for the function cannot be assumed by Lambda.',
    );
  });

  test.each([
    [['logs:CreateLogStream', 'logs:PutLogEvents'], true],
    [['logs:CreateLogStream'], false],
    [['logs:PutLogEvents'], false],
  ])('with the rights %j keeps what it prints: %s', async (actions, kept) => {
    grant(...actions);
    await bench.deploy('fn', "export const handler = async () => { console.log('hello'); };");
    await bench.functions.invoke('fn', '{}');
    if (kept) await expect.poll(() => bench.printed.get('fn')).toContain('hello');
    else await sleep(100);
    expect(bench.printed.has('fn')).toBe(kept);
  });

  test('acts as a session of its role, named after it', async () => {
    await bench.deploy('fn', 'export const handler = async () => 1;');
    expect(bench.functions.sessionOf('fn')).toMatchObject({
      arn: 'arn:aws:sts::000000000000:assumed-role/fn-role/fn',
      roleArn: 'arn:aws:iam::000000000000:role/fn-role',
      userId: expect.stringMatching(/^AROA[A-Z2-7]{17}:fn$/),
    });
  });
});

describe('a queue', () => {
  let sqs: Sqs;
  let mappings: ReturnType<typeof openEventSourceMappings>;
  beforeEach(async () => {
    sqs = openSqs(bench.state);
    await sqs.call('CreateQueue', { QueueName: 'work' });
    mappings = openEventSourceMappings({ queues: sqs, functions: bench.functions, maxConcurrency: 1 });
    await bench.deploy('fn', 'export const handler = async (event) => console.log(event.Records[0].body);');
  });
  afterEach(() => {
    mappings.stop();
    sqs.close();
  });

  const feed = () =>
    mappings.put('m', {
      queueArn: QUEUE,
      functionName: 'fn',
      batchSize: 1,
      batchingWindowSeconds: 0,
      maximumConcurrency: 1,
      reportBatchItemFailures: false,
      enabled: true,
    });

  test.each(POLLING)('feeds no function whose role lacks %s', (lacking) => {
    grant(...POLLING.filter((action) => action !== lacking));
    expect(feed).toThrow(
      `The function execution role does not have permissions to fetch from SQS. User: arn:aws:sts::000000000000:assumed-role/fn-role/fn is not authorized to perform: ${lacking.toLowerCase()}`,
    );
  });

  test('stops feeding a function that loses the right, says so once, and goes on when it has it again', async () => {
    feed();
    sqs.send(QUEUE, 'first');
    await expect.poll(() => bench.printed.get('fn')).toContain('first');
    grant('logs:*');
    sqs.send(QUEUE, 'second');
    await sleep(1_200);
    expect(bench.printed.get('fn')).not.toContain('second');
    expect(bench.printed.get('fn')?.match(/PROBLEM\t.* is not authorized to perform: sqs:receivemessage/g)).toHaveLength(1);
    grant('logs:*', ...POLLING);
    await expect.poll(() => bench.printed.get('fn'), { timeout: 3_000 }).toContain('second');
  });
});

describe('on the wire', () => {
  beforeEach(() => bench.deploy('fn', 'export const handler = async () => 1;'));

  /** Hands a request to the service as a session of `caller`. */
  async function call(method: string, path: string, ...actions: string[]) {
    putRole(bench.access, 'caller', actions.length === 0 ? ['sts:GetCallerIdentity'] : actions);
    const roleArn = 'arn:aws:iam::000000000000:role/caller';
    const { principal } = bench.credentials.issueForRole('caller', { roleArn, sessionName: 'test' });
    return handle(method, path, principal);
  }

  async function handle(method: string, path: string, principal: Principal | null) {
    const service = createLambdaService(bench.functions, bench.access.judge);
    const server = createServer(({ headers }, response) => {
      const empty = { signature: null, query: new URLSearchParams(), trailers: {}, contentLength: 0, body: Readable.from([]) };
      void service.handle({ method, rawPath: path, headers, principal, requestId: 'r', secure: true, ...empty }, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const reply = await fetch(`http://127.0.0.1:${port}`).finally(() => server.close());
    return { status: reply.status, error: reply.headers.get('x-amzn-errortype'), text: await reply.text() };
  }

  test.each([
    ['POST', '/2015-03-31/functions/fn/invocations', 'lambda:InvokeFunction'],
    ['GET', '/2015-03-31/functions/fn', 'lambda:GetFunction'],
    ['GET', '/2015-03-31/functions/fn/configuration', 'lambda:GetFunctionConfiguration'],
    ['GET', '/2015-03-31/functions/', 'lambda:ListFunctions'],
  ])('%s %s needs %s', async (method, path, action) => {
    expect((await call(method, path, action)).status).toBe(200);
    const refused = await call(method, path);
    expect(refused).toMatchObject({ status: 403, error: 'AccessDeniedException' });
    const resource = path.includes('fn') ? functionArn('fn') : '*';
    expect(JSON.parse(refused.text).Message).toBe(
      `User: arn:aws:sts::000000000000:assumed-role/caller/test is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`,
    );
  });

  test('a permission opens a function to a role without one of its own', async () => {
    const permission = {
      functionArn: functionArn('fn'),
      action: 'lambda:InvokeFunction',
      principal: 'arn:aws:iam::000000000000:role/caller',
      sourceArn: null,
      sourceAccount: null,
    };
    bench.functions.permit('p', permission);
    expect((await call('POST', '/2015-03-31/functions/fn/invocations')).status).toBe(200);
    bench.functions.forbid('p');
    expect((await call('POST', '/2015-03-31/functions/fn/invocations')).status).toBe(403);
  });

  test('nobody without a signature is answered, and who may not ask does not learn what is there', async () => {
    expect((await handle('GET', '/2015-03-31/functions/fn', null)).error).toBe('MissingAuthenticationTokenException');
    expect((await call('GET', '/2015-03-31/functions/missing')).status).toBe(403);
    expect((await call('GET', '/2015-03-31/functions/missing', 'lambda:*')).status).toBe(404);
  });
});
