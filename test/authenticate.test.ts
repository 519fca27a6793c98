import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { createAuthenticate } from '../src/authenticate.ts';
import { AUDIENCE, createIssuer, ISSUER } from './fixtures/issuer.ts';

const DISCOVERY = `${ISSUER}/.well-known/openid-configuration`;
const INVALID = { code: 'unauthenticated', retryable: false };

async function world(algorithm = 'RS256') {
  const issuer = await createIssuer(algorithm);
  const authenticate = createAuthenticate({ issuer: ISSUER, audience: AUDIENCE, fetch: issuer.fetch });
  return { issuer, authenticate, with: (token: string) => authenticate(`Bearer ${token}`) };
}

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a token', () => {
  it.each(['RS256', 'PS256', 'ES256', 'EdDSA'])('signed with %s gives its claims', async (algorithm) => {
    const { issuer, authenticate } = await world(algorithm);
    const claims = await authenticate(`bearer ${await issuer.token({ claims: { nested: { a: [1] } } })}`);
    expect(claims).toMatchObject({ sub: 'user-17', groups: ['sealdrop-readers'], nested: { a: [1] }, iss: ISSUER });
  });

  it.each([
    ['that has expired', { expires: -31 }],
    ['that is not valid yet', { notBefore: 31 }],
    ['for another audience', { audience: 'other' }],
    ['of another issuer', { issuer: 'https://issuer.example.com/' }],
    ['without an end', { expires: null }],
    ['without a subject', { claims: { sub: undefined } }],
    ['with an empty subject', { claims: { sub: '' } }],
    ['with a subject that is no text', { claims: { sub: 7 } }],
    ['of a key that the issuer does not have', { kid: 'key-9' }],
  ])('%s is refused', async (_what, changes) => {
    const { issuer, with: authenticateWith } = await world();
    await expect(authenticateWith(await issuer.token(changes))).rejects.toMatchObject(INVALID);
  });

  it.each([
    ['expired a moment ago', { expires: -29 }],
    ['valid in a moment', { notBefore: 29 }],
  ])('%s passes: clocks differ', async (_what, changes) => {
    const { issuer, with: authenticateWith } = await world();
    await expect(authenticateWith(await issuer.token(changes))).resolves.toMatchObject({ sub: 'user-17' });
  });

  it('signed by another key of the same name is refused', async () => {
    const { with: authenticateWith } = await world();
    await expect(authenticateWith(await (await createIssuer()).token())).rejects.toMatchObject(INVALID);
  });

  it('whose claims were changed is refused', async () => {
    const { issuer, with: authenticateWith } = await world();
    const [header, , signature] = (await issuer.token()).split('.');
    const forged = part({ sub: 'admin', iss: ISSUER, aud: AUDIENCE, exp: 9_999_999_999 });
    await expect(authenticateWith(`${header}.${forged}.${signature}`)).rejects.toMatchObject(INVALID);
  });

  it.each(['RS512', 'ES384'])('signed with %s is refused, though the key is the right one', async (algorithm) => {
    const { issuer, with: authenticateWith } = await world(algorithm);
    await expect(authenticateWith(await issuer.token())).rejects.toMatchObject(INVALID);
  });

  it('without a signature is refused', async () => {
    const { with: authenticateWith } = await world();
    const unsigned = `${part({ alg: 'none' })}.${part({ sub: 'u', iss: ISSUER, aud: AUDIENCE, exp: 9_999_999_999 })}.`;
    await expect(authenticateWith(unsigned)).rejects.toMatchObject(INVALID);
    await expect(authenticateWith(`${unsigned}AAAA`)).rejects.toMatchObject(INVALID);
  });

  it('signed with the public key as a shared secret is refused', async () => {
    const { issuer, with: authenticateWith } = await world();
    const secret = Buffer.from(await issuer.publicKeyPem());
    const forged = await new SignJWT({ sub: 'u' })
      .setProtectedHeader({ alg: 'HS256', kid: 'key-1' })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setExpirationTime('5m')
      .sign(secret);
    await expect(authenticateWith(forged)).rejects.toMatchObject(INVALID);
  });

  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Bearer a.b',
    'Bearer a.b.c.d',
    'Basic dXNlcjpwYXNz',
    'Bearer a.b.c, Bearer d.e.f',
    'a.b.c',
  ])('missing in "%s" is refused without asking the issuer', async (header) => {
    const { issuer, authenticate } = await world();
    await expect(authenticate(header)).rejects.toMatchObject(INVALID);
    expect(issuer.asked).toEqual([]);
  });

  it.each(['a.b.c', `${part({ alg: 'RS256' })}.x.y`, '...'])('malformed as %s is refused', async (token) => {
    await expect((await world()).with(token)).rejects.toMatchObject(INVALID);
  });

  it('is never told in what refuses it', async () => {
    const { issuer, with: authenticateWith } = await world();
    const token = await issuer.token({ audience: 'other', claims: { email: 'canary@example.com' } });
    const error = await authenticateWith(token).catch((refusal: unknown) => refusal);
    expect(String(error)).not.toContain('canary');
    expect(JSON.stringify(error)).not.toContain(token.slice(0, 20));
  });
});

describe('the issuer', () => {
  it('is asked once for many tokens, however many at once', async () => {
    const { issuer, with: authenticateWith } = await world();
    const token = await issuer.token();
    await Promise.all([authenticateWith(token), authenticateWith(token), authenticateWith(token)]);
    await authenticateWith(token);
    expect(issuer.asked).toEqual([DISCOVERY, issuer.jwksUri]);
  });

  it.each([
    ['discovery document', DISCOVERY],
    ['key set', `${ISSUER}/keys`],
  ])('whose %s cannot be had is our trouble, not the token', async (_what, url) => {
    for (const answer of [
      () => new Response('', { status: 500 }),
      () => new Response('<html>'),
      () => Response.json({ other: 1 }),
      () => Promise.reject(new TypeError('fetch failed')),
    ]) {
      const { issuer, with: authenticateWith } = await world();
      issuer.documents[url] = answer;
      await expect(authenticateWith(await issuer.token())).rejects.toMatchObject({ code: 'service-unavailable', retryable: true });
    }
  });

  it('is asked again after it failed', async () => {
    const { issuer, with: authenticateWith } = await world();
    const healthy = issuer.documents[DISCOVERY] ?? (() => Response.error());
    issuer.documents[DISCOVERY] = () => new Response('', { status: 503 });
    await expect(authenticateWith(await issuer.token())).rejects.toMatchObject({ retryable: true });
    issuer.documents[DISCOVERY] = healthy;
    await expect(authenticateWith(await issuer.token())).resolves.toMatchObject({ sub: 'user-17' });
  });

  it.each(['http://issuer.example.com', 'ftp://issuer.example.com', 'issuer.example.com', 'file:///etc', 'http://127.0.0.1.example.com'])(
    'at %s is not trusted',
    async (issuer) => {
      const { fetch } = await createIssuer();
      expect(() => createAuthenticate({ issuer, audience: AUDIENCE, fetch })).toThrow(
        expect.objectContaining({ code: 'config-invalid', message: expect.stringContaining(`OIDC_ISSUER is ${issuer}`) }),
      );
    },
  );

  it.each(['http://127.0.0.1:4566', 'http://localhost:4566', 'http://[::1]:4566', 'https://issuer.example.com'])(
    'at %s is trusted',
    async (issuer) => {
      const { fetch } = await createIssuer();
      expect(() => createAuthenticate({ issuer, audience: AUDIENCE, fetch })).not.toThrow();
    },
  );

  it('that names another issuer, or keys that anybody could change on their way, is a wrong configuration', async () => {
    for (const document of [
      { issuer: 'https://other.example.com', jwks_uri: `${ISSUER}/keys` },
      { issuer: ISSUER, jwks_uri: 'http://issuer.example.com/keys' },
    ]) {
      const { issuer, with: authenticateWith } = await world();
      issuer.documents[DISCOVERY] = () => Response.json(document);
      await expect(authenticateWith(await issuer.token())).rejects.toMatchObject({ code: 'config-invalid' });
      expect(issuer.asked).toEqual([DISCOVERY]);
    }
  });
});
