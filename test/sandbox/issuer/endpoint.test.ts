import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTokenService, TOKEN_PATH } from '../../../sandbox/issuer/endpoint.ts';
import { openIssuer } from '../../../sandbox/issuer/issuer.ts';
import type { Loopback } from '../../../sandbox/loopback.ts';
import { openState, type State } from '../../../sandbox/state.ts';
import { type Credentials, openCredentials } from '../../../sandbox/wire/credentials.ts';
import { createAwsServer } from '../../../sandbox/wire/server.ts';
import { askSandbox, type Signer } from '../faults/ask-sandbox.ts';

let dir: string;
let state: State;
let credentials: Credentials;
let server: Loopback;
let endpoint: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sealdrop-issuer-'));
  state = openState(dir);
  credentials = openCredentials(state);
  const issuer = await openIssuer(state, { endpoint: () => endpoint, audience: () => 'sealdrop' });
  const next = { handle: async (_: unknown, response: { end(text: string): void }) => response.end('the faults') };
  server = createAwsServer({ credentials, services: { sandbox: createTokenService(issuer, next) } });
  endpoint = (await server.listen(0)).url;
});
afterAll(async () => {
  await server.close();
  state.close();
  rmSync(dir, { recursive: true, force: true });
});

const ASKED = { sub: 'alice', groups: ['finance'], ttlSeconds: 60 };

const administrator = (): Signer => {
  const { accessKeyId, secretAccessKey } = credentials.administrator();
  return { accessKeyId, secretAccessKey };
};

function ask(body: unknown = ASKED, { signer = administrator() as Signer | null, method = 'POST', path = TOKEN_PATH } = {}) {
  return askSandbox(endpoint, signer, { method, path, ...(method === 'GET' ? {} : { body: JSON.stringify(body) }) });
}

const claimsOf = async (answer: Response) => decodeJwt(String(Object(await answer.json()).token));

test('the administrator gets a token with the claims that were asked for', async () => {
  const answer = await ask();
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
  const { iat = 0, exp, ...claims } = await claimsOf(answer);
  expect(claims).toEqual({ sub: 'alice', groups: ['finance'], aud: 'sealdrop', iss: `${endpoint}/_sandbox/oidc` });
  expect(exp).toBe(iat + 60);
  expect((await claimsOf(await ask({ ...ASKED, audience: 'another' }))).aud).toBe('another');
});

test('nobody else gets one: unsigned, with a guessed key, or as a role', async () => {
  const {
    accessKeyId,
    secretAccessKey,
    sessionToken = '',
  } = credentials.issueForRole('f', { roleArn: 'arn:aws:iam::000000000000:role/f', sessionName: 'f' });
  expect((await ask(ASKED, { signer: null })).status).toBe(404);
  expect((await ask(ASKED, { signer: { ...administrator(), secretAccessKey: 'guessed' } })).status).toBe(403);
  const answer = await ask(ASKED, { signer: { accessKeyId, secretAccessKey, sessionToken: sessionToken ?? '' } });
  expect([answer.status, answer.headers.get('x-amzn-errortype')]).toEqual([403, 'AccessDeniedException']);
  expect(await answer.text()).not.toContain('token"');
});

test.each([
  ['without a subject', { groups: [], ttlSeconds: 60 }],
  ['with claims of its own', { ...ASKED, claims: { iss: 'x' } }],
  ['for longer than half a day', { ...ASKED, ttlSeconds: 43_201 }],
  ['that has expired already', { ...ASKED, ttlSeconds: -1 }],
])('a token %s is refused', async (_, body) => {
  const answer = await ask(body);
  expect([answer.status, answer.headers.get('x-amzn-errortype')]).toEqual([400, 'ValidationException']);
});

test('other methods are refused, and other paths belong to others', async () => {
  expect((await ask(null, { method: 'GET' })).status).toBe(405);
  expect(await (await ask(null, { path: '/_sandbox/faults' })).text()).toBe('the faults');
});
