/** Whatever stands in an Authorization header: a token of the issuer, unexpired and untouched, or 401. */

import fc from 'fast-check';
import { generateKeyPair, SignJWT } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Authenticate, createAuthenticate } from '../../src/authenticate.ts';
import { SealdropError } from '../../src/errors.ts';
import { parseApiRequest } from '../../src/http/request.ts';
import { apiEvent } from '../fixtures/api.ts';
import { AUDIENCE, createIssuer, ISSUER } from '../fixtures/issuer.ts';
import { hostileJson, hostileText } from './arbitraries.ts';
import { mutated } from './mutations.ts';

let issuer: Awaited<ReturnType<typeof createIssuer>>;
let authenticate: Authenticate;
let token: string;
/** Of another key, and of another issuer's, both with the kid of the true one. */
let strangers: string[];
let forger: Awaited<ReturnType<typeof generateKeyPair>>;

beforeAll(async () => {
  issuer = await createIssuer();
  authenticate = createAuthenticate({ issuer: ISSUER, audience: AUDIENCE, fetch: issuer.fetch });
  token = await issuer.token();
  const other = await createIssuer();
  strangers = [await other.token(), await issuer.token({ issuer: 'https://other.example.com' }), await issuer.token({ expires: -3600 })];
  forger = await generateKeyPair('RS256');
  await expect(authenticate(`Bearer ${token}`)).resolves.toMatchObject({ sub: 'user-17' });
});

const encoded = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const decoded = (part: string) => Buffer.from(part, 'base64url');

/** The same bytes under another spelling are the same token. */
function isTheToken(header: string): boolean {
  const parts = /^Bearer (.*)$/i.exec(header)?.[1]?.split('.') ?? [];
  const [head, body, signature] = token.split('.');
  // What is signed is the text of the first two parts; the third is bytes.
  return parts.length === 3 && parts[0] === head && parts[1] === body && decoded(parts[2] ?? '').equals(decoded(signature ?? ''));
}

async function expectRefused(header: string) {
  fc.pre(!isTheToken(header));
  const outcome = await authenticate(header).catch((error: unknown) => error);
  expect(outcome, 'the token was accepted').toBeInstanceOf(SealdropError);
  expect(outcome).toMatchObject({ code: 'unauthenticated', status: 401 });
  const { message } = outcome as SealdropError;
  expect(message.length).toBeLessThan(200);
  for (const part of header.split(/[ .]/).filter(({ length }) => length > 24)) expect(message).not.toContain(part);
}

describe('a header', () => {
  it('of any text is refused', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          hostileText,
          hostileText.map((text) => `Bearer ${text}`),
        ),
        (header) => expectRefused(header),
      ),
      { numRuns: 500 },
    );
  });

  it('with a token and anything before, behind or in the midst of it is refused', async () => {
    const sign = fc.constantFrom(' ', '\t', '\n', '\r\n', '.', '..', '=', ',', '"', '\u0000', '\u00a0', 'Bearer ', 'a', '%20');
    await fc.assert(
      fc.asyncProperty(sign, fc.nat(2_000), fc.nat(2), (put, at, gone) => {
        const header = `Bearer ${token}`;
        const place = 'Bearer '.length + (at % (token.length + 1));
        return expectRefused(header.slice(0, place) + put + header.slice(place + gone));
      }),
      { numRuns: 500 },
    );
  });

  it.each([1, 10, 1_000, 100_000])('of %i dots or letters without end is refused at once', async (count) => {
    for (const text of ['.'.repeat(count), 'a'.repeat(count), 'a.'.repeat(count), `${token}${'A'.repeat(count * 4)}`]) {
      await expectRefused(`Bearer ${text}`);
    }
  });
});

describe('a token', () => {
  const header = { alg: 'RS256', kid: 'key-1' };
  const claims = () => ({ sub: 'user-17', iss: ISSUER, aud: AUDIENCE, exp: Math.floor(Date.now() / 1000) + 300 });
  const algorithms = ['none', 'None', 'HS256', 'HS384', 'HS512', 'RS1', 'RS512', 'PS256', 'ES256', 'EdDSA', 'dir', 'A256KW', ''];

  it('put together from parts of others is refused', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(2), { minLength: 3, maxLength: 3 }),
        fc.array(fc.nat(3), { minLength: 3, maxLength: 3 }),
        (which, from) => {
          const all = [token, ...strangers].map((text) => text.split('.'));
          return expectRefused(`Bearer ${which.map((part, at) => all[from[at] ?? 0]?.[part]).join('.')}`);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('with another header is refused, whatever algorithm and key it names, and wherever it says that keys are', async () => {
    const foreign = fc.record({
      alg: fc.oneof(fc.constantFrom(...algorithms), hostileJson),
      kid: fc.oneof(fc.constantFrom('key-1', 'key-2', '../key-1', '__proto__'), hostileJson),
      jku: fc.constant('https://attacker.example.com/keys'),
      jwk: fc.constant({ kty: 'oct', k: 'AAAA' }),
      x5u: fc.constant('https://attacker.example.com/cert'),
      crit: fc.oneof(fc.constantFrom(['b64'], ['exp'], []), hostileJson),
      b64: fc.boolean(),
      typ: hostileJson,
    });
    const signatures = fc.oneof(fc.constant(''), fc.constant('AAAA'), fc.constant('own'), fc.base64String());
    await fc.assert(
      fc.asyncProperty(fc.oneof(foreign, mutated(header)), signatures, (head, signature) => {
        const [, body, own] = token.split('.');
        return expectRefused(`Bearer ${encoded(head)}.${body}.${signature === 'own' ? own : signature.replace(/[+/=]/g, '')}`);
      }),
      { numRuns: 700 },
    );
    expect(issuer.asked.filter((url) => !url.startsWith(ISSUER))).toEqual([]);
  });

  it('with other claims under the old signature is refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(mutated(claims()), hostileJson, hostileText), (body) => {
        const [head, , signature] = token.split('.');
        return expectRefused(`Bearer ${head}.${encoded(body)}.${signature}`);
      }),
      { numRuns: 400 },
    );
  });

  it.each(['HS256', 'HS512'])('signed by %s with what everybody knows is refused', async (alg) => {
    const pem = await issuer.publicKeyPem();
    for (const secret of [pem, pem.trim(), pem.replaceAll('\n', ''), 'key-1', ISSUER].map((text) => Buffer.from(text))) {
      const forged = await new SignJWT(claims()).setProtectedHeader({ ...header, alg }).sign(secret);
      await expectRefused(`Bearer ${forged}`);
    }
  });

  it('of true claims signed by another key of the same name is refused', async () => {
    await expectRefused(`Bearer ${await new SignJWT(claims()).setProtectedHeader(header).sign(forger.privateKey)}`);
  });

  it('of the issuer with odd claims is refused, or gives the claims as they are to one subject until one time', async () => {
    const seen = { accepted: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(oddClaims(), async (changes) => {
        const signed = await issuer.token({ claims: changes, expires: 'exp' in changes ? null : 300 });
        const outcome = await authenticate(`Bearer ${signed}`).catch((error: unknown) => error);
        seen[outcome instanceof Error ? 'refused' : 'accepted'] += 1;
        if (outcome instanceof Error) {
          expect(outcome).toMatchObject({ code: 'unauthenticated' });
          return;
        }
        // What the gateway hands on is JSON; the function that serves takes nothing else.
        const { caller } = parseApiRequest(apiEvent({ claims: outcome as Record<string, unknown> }), []);
        expect(caller.subject).toBe((outcome as { sub: unknown }).sub);
        expect(caller.subject).toMatch(/./s);
        expect(typeof caller.claims.exp).toBe('number');
      }),
      { numRuns: 250 },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(10);
  });

  function oddClaims() {
    const odd = fc.oneof(hostileJson, hostileText, fc.constantFrom(0, -1, 1e308, '1e308', 'Infinity', true, [], [AUDIENCE], {}));
    const named = fc.constantFrom('sub', 'exp', 'nbf', 'iat', 'groups', 'scope', '__proto__');
    return fc.array(fc.tuple(named, odd), { minLength: 1, maxLength: 2 }).map((members) => Object.fromEntries(members));
  }
});
