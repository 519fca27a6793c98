import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { ISSUER_PATH, type Issuer, openIssuer } from '../../../sandbox/issuer/issuer.ts';
import type { Loopback } from '../../../sandbox/loopback.ts';
import { openState, type State } from '../../../sandbox/state.ts';
import { openCredentials } from '../../../sandbox/wire/credentials.ts';
import { createAwsServer } from '../../../sandbox/wire/server.ts';

let dir: string;
let state: State;
let server: Loopback;
let issuer: Issuer;
let endpoint: string;

async function open(): Promise<void> {
  state = openState(dir);
  issuer = await openIssuer(state, { endpoint: () => endpoint, audience: () => 'sealdrop' });
  server = createAwsServer({ services: {}, credentials: openCredentials(state), local: { [ISSUER_PATH]: issuer.service } });
  endpoint = (await server.listen(0)).url;
}
async function close(): Promise<void> {
  await server.close();
  state.close();
}
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sealdrop-issuer-'));
  await open();
});
afterEach(async () => {
  await close();
  rmSync(dir, { recursive: true, force: true });
});

const documentSchema = z.object({ issuer: z.string(), jwks_uri: z.string(), keys: z.array(z.record(z.string(), z.string())) }).partial();

async function get(path: string): Promise<{ issuer: string; jwksUri: string; keys: Record<string, string>[] }> {
  const {
    issuer = '',
    jwks_uri: jwksUri = '',
    keys = [],
  } = documentSchema.parse(await (await fetch(`${endpoint}${ISSUER_PATH}${path}`)).json());
  return { issuer, jwksUri, keys };
}

test('a token verifies by what discovery names', async () => {
  const discovery = await get('/.well-known/openid-configuration');
  expect(discovery.issuer).toBe(`${endpoint}/_sandbox/oidc`);
  const token = await issuer.issueToken({ sub: 'alice', groups: ['a', 'b'] });
  const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(discovery.jwksUri)), {
    issuer: discovery.issuer,
    audience: 'sealdrop',
    algorithms: ['ES256'],
  });
  expect(payload).toMatchObject({ sub: 'alice', groups: ['a', 'b'] });
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(12 * 60 * 60);
});

test('claims of a request win, so that a wrong token can be made', async () => {
  const keys = createRemoteJWKSet(new URL(`${endpoint}${ISSUER_PATH}/jwks.json`));
  await expect(jwtVerify(await issuer.issueToken({ sub: 'a', ttlSeconds: -1 }), keys)).rejects.toThrow('"exp"');
  await expect(jwtVerify(await issuer.issueToken({ sub: 'a', claims: { aud: 'other' } }), keys, { audience: 'sealdrop' })).rejects.toThrow(
    '"aud"',
  );
});

test('the key outlives a restart, is published without its private part, and is for the owner alone', async () => {
  const { keys } = await get('/jwks.json');
  expect(Object.keys(keys[0] ?? {}).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
  expect(statSync(join(dir, 'issuer', 'signing-key.pem')).mode & 0o777).toBe(0o600);
  await close();
  await open();
  expect((await get('/jwks.json')).keys).toEqual(keys);
});

test('anything else is 404', async () => {
  expect((await fetch(`${endpoint}${ISSUER_PATH}/token`)).status).toBe(404);
  expect((await fetch(`${endpoint}${ISSUER_PATH}/jwks.json`, { method: 'POST' })).status).toBe(404);
});
