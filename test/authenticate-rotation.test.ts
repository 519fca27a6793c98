import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createAuthenticate } from '../src/authenticate.ts';
import { AUDIENCE, createIssuer, ISSUER } from './fixtures/issuer.ts';

/** jose asks for keys again no sooner than this after it last did. */
const COOLDOWN_MS = 30_000;

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

it('an issuer that rotates its keys is asked for them again, and the old ones no longer count', async () => {
  const issuer = await createIssuer();
  const authenticate = createAuthenticate({ issuer: ISSUER, audience: AUDIENCE, fetch: issuer.fetch });
  const before = await issuer.token();
  await authenticate(`Bearer ${before}`);
  await issuer.rotate();
  vi.setSystemTime(Date.now() + COOLDOWN_MS + 1);
  await expect(authenticate(`Bearer ${await issuer.token()}`)).resolves.toMatchObject({ sub: 'user-17' });
  await expect(authenticate(`Bearer ${before}`)).rejects.toMatchObject({ code: 'unauthenticated' });
  expect(issuer.asked.filter((url) => url === issuer.jwksUri)).toHaveLength(2);
});
