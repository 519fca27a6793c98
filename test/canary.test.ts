/** With a canary for a customer key, a token and an object: none of them is found anywhere that people or machines read. */
import { inspect } from 'node:util';
import { BatchWriteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { CopyObjectCommand, type CopyObjectCommandInput, GetObjectCommand } from '@aws-sdk/client-s3';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createHandler as createAuthorize } from '../handlers/authorize.ts';
import { createHandler as createDownload } from '../handlers/download.ts';
import { createHandler as createEncrypt } from '../handlers/encrypt.ts';
import { createAuthenticate } from '../src/authenticate.ts';
import { createLog } from '../src/observability.ts';
import { apiEvent, invokeStreaming } from './fixtures/api.ts';
import { honestCopy, s3Error, tableError } from './fixtures/aws.ts';
import { encryptWorld } from './fixtures/encrypt-world.ts';
import { event } from './fixtures/events.ts';
import { AUDIENCE, createIssuer, ISSUER } from './fixtures/issuer.ts';
import { notification, queued } from './fixtures/messages.ts';
import { KEY_MATERIAL, KEY_MD5, KEY_VERSION } from './fixtures/objects.ts';
import { BYTES, openWorld } from './fixtures/open-world.ts';
import { canariesIn, type Form, formsOfKey, formsOfText, formsOfToken } from './hostile/canary-search.ts';

const STREAMS = [process.stdout, process.stderr];
const CONSOLE = ['log', 'info', 'warn', 'error', 'debug'] as const;

/** Everything that was logged, however it left the process. */
let logged: string[] = [];

beforeEach(() => {
  logged = [];
  for (const method of CONSOLE)
    vi.spyOn(console, method).mockImplementation((...parts) => void logged.push(inspect(parts, { depth: null })));
  for (const stream of STREAMS) {
    vi.spyOn(stream, 'write').mockImplementation((chunk) => {
      logged.push(String(chunk));
      return true;
    });
  }
});
afterEach(() => void vi.restoreAllMocks());

/** With the causes of errors, and what is not enumerable on any of them. */
function written(value: unknown): string {
  const causes: unknown[] = [];
  for (let error: unknown = value; error instanceof Error; error = error.cause)
    causes.push(inspect(error, { ...ALL, showHidden: true }), error.stack);
  return [inspect(value, ALL), JSON.stringify(value), ...causes].join('\n');
}

const ALL = { depth: null, maxStringLength: null, maxArrayLength: null } as const;

function expectNoCanary(
  texts: unknown[],
  canaries: Form[] = [...formsOfKey('customer key', KEY_MATERIAL), ...formsOfText('object', BYTES.toString())],
) {
  const all = texts.map(written).join('\n');
  expect(all.length).toBeGreaterThan(100);
  expect(canariesIn(all, canaries)).toEqual([]);
}

const FAILURES: Record<string, (world: ReturnType<typeof encryptWorld>) => void> = {
  'all goes well': () => {},
  'S3 denies': (world) => void world.s3.on(CopyObjectCommand).rejects(s3Error('AccessDenied', 403)),
  'S3 tells the whole request that it would have signed': (world) =>
    void world.s3.on(CopyObjectCommand).callsFake(async (input: CopyObjectCommandInput) => {
      const signed = `PUT\n/\n\nx-amz-server-side-encryption-customer-key:${input.SSECustomerKey}\nx-amz-server-side-encryption-customer-key-md5:${KEY_MD5}\n`;
      const hex = Buffer.from(signed).toString('hex');
      const members = { CanonicalRequest: signed, CanonicalRequestBytes: hex, StringToSign: signed, StringToSignBytes: hex };
      throw Object.assign(s3Error('SignatureDoesNotMatch', 403, `The signature does not match: ${signed}`), members);
    }),
  'S3 throttles': (world) => void world.s3.on(CopyObjectCommand).rejects(s3Error('SlowDown', 503)),
  'S3 stores plaintext': (world) =>
    void world.s3.on(CopyObjectCommand).callsFake(async (input: CopyObjectCommandInput) => {
      const { SSECustomerKeyMD5: _, ...answer } = honestCopy(input);
      return answer;
    }),
  'the table is down': (world) =>
    void world.dynamodb.on(PutItemCommand).rejects(tableError('InternalServerError')).on(BatchWriteItemCommand).rejects(tableError('X')),
  'the secret is no key': (world) =>
    void world.secretsManager.on(GetSecretValueCommand).resolves({ VersionId: KEY_VERSION, SecretString: `${KEY_MATERIAL.toString()}+` }),
};

it.each(Object.entries(FAILURES))('the customer key is nowhere to be read when %s', async (_when, arrange) => {
  const world = encryptWorld();
  arrange(world);
  const bodies = [notification({ key: 'cards/1' }), notification({ key: 'cards/2', sequencer: '02' })];
  const answer = await createEncrypt(() => ({ ...world.deps, log: createLog('encrypt') }))(queued(bodies, 4));
  const thrown = await createEncrypt(() => world.deps)(event('s3-put')).catch((error: unknown) => error);
  // What cannot be dead-lettered either is thrown with all its causes.
  const queue = world.sqs.commandCalls(SendMessageCommand).map((call) => call.args[0].input);
  world.sqs.on(SendMessageCommand).rejects(new Error('down'));
  const last = await createEncrypt(() => world.deps)(notification({ key: 'cards/3' })).catch((error: unknown) => error);
  const key = await world.deps.customerKeys.current().catch((error: unknown) => error);
  const table = world.dynamodb.calls().map((call) => call.args[0].input);
  expect(world.s3.calls().length + world.sqs.calls().length).toBeGreaterThan(0);
  expectNoCanary([answer, thrown, last, logged, world.log.entries, world.metrics.figures, queue, table, key]);
});

it('what the SDK is asked does hold the key: the canary can be found', async () => {
  const world = encryptWorld();
  await createEncrypt(() => world.deps)(queued([notification({ key: 'cards/1' })]));
  const asked = world.s3.commandCalls(CopyObjectCommand).map((call) => call.args[0].input);
  expect(canariesIn(inspect(asked), formsOfKey('key', KEY_MATERIAL))).toContain('key, base64');
});

it.each([null, s3Error('AccessDenied', 403), s3Error('InternalError', 500)])(
  'neither key nor bytes are to be read of a download (%s)',
  async (refusal) => {
    const world = openWorld({ storedUnder: KEY_VERSION });
    if (refusal !== null) world.s3.on(GetObjectCommand).rejects(refusal);
    const handler = createDownload(() => ({ ...world.deps, log: createLog('download') }));
    const answer = await invokeStreaming(handler, apiEvent({ path: { key: 'reports/1' } }));
    const body = refusal === null ? '' : answer.body.toString();
    const table = world.dynamodb.calls().map((call) => call.args[0].input);
    expectNoCanary([answer.headers, body, logged, table]);
  },
);

it('a token is nowhere to be read, whether it is valid or not, or cannot be judged', async () => {
  const issuer = await createIssuer();
  const authenticate = createAuthenticate({ issuer: ISSUER, audience: AUDIENCE, fetch: issuer.fetch });
  const authorize = createAuthorize(() => ({ authenticate, log: createLog('authorize') }));
  const tokens = [await issuer.token(), await issuer.token({ expires: -60 }), await issuer.token({ audience: 'other' })];
  const results: unknown[] = [];
  for (const down of [true, false]) {
    const healthy = issuer.documents[issuer.jwksUri] ?? (() => Response.error());
    if (down) issuer.documents[issuer.jwksUri] = () => new Response('', { status: 500 });
    for (const token of tokens) {
      const asked = { ...Object(event('authorize')), headers: { Authorization: `Bearer ${token}` } };
      results.push(await authorize(asked).catch((error: unknown) => error));
    }
    issuer.documents[issuer.jwksUri] = healthy;
  }
  expect(results.filter((result) => result instanceof Error)).toHaveLength(5);
  expect(logged.join()).toContain('callers cannot be authenticated');
  expectNoCanary(
    [results, logged],
    tokens.flatMap((token) => formsOfToken('token', token)),
  );
});
