/** Requests that nobody should send, as bytes on a connection: each is answered with a status below 500, and with nothing that its caller may not have. */
import { connect } from 'node:net';
import fc from 'fast-check';
import { generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalStack, startLocalStack } from '../e2e/local-stack.ts';

const SEED = Date.now();
const PATIENCE_MS = 3_000;
const CANARY = 'canary-salaries-4711';
const FIGURES = 'figures of the quarter';

let stack: LocalStack;
let finance: string;
beforeAll(async () => {
  stack = await startLocalStack();
  finance = await stack.sandbox.issueToken({ sub: 'fiona', groups: ['finance'] });
  await stack.drop('finance/report.txt', FIGURES);
  await stack.drop('hr/salaries.txt', CANARY);
  await stack.drop('salaries.txt', CANARY);
  await stack.settled();
});
afterAll(() => stack.stop());

interface Answer {
  status: number;
  head: string;
  body: string;
}

/** Sends what it is given as it stands; the answer is read until the server ends it. */
function send(target: string, lines: string[] = [], method = 'GET', token: string | null = finance): Promise<Answer> {
  const { hostname, port } = new URL(stack.env.SEALDROP_API_URL ?? '');
  const credentials = token === null ? [] : [`Authorization: Bearer ${token}`];
  const text = [`${method} ${target} HTTP/1.1`, 'Host: api', 'Connection: close', ...credentials, ...lines, '', ''].join('\r\n');
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), hostname, () => socket.write(text, 'latin1'));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', reject);
    // Whoever waits for a body that never comes is left alone.
    const leave = setTimeout(() => socket.destroy(), PATIENCE_MS);
    socket.on('close', () => {
      clearTimeout(leave);
      const [head = '', ...rest] = Buffer.concat(chunks).toString('latin1').split('\r\n\r\n');
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0), head, body: rest.join('\r\n\r\n') });
    });
  });
}

function expectHarmless({ status, head, body }: Answer) {
  expect(status).toBeGreaterThanOrEqual(200);
  expect(status).toBeLessThan(500);
  expect(head + body).not.toContain(CANARY);
  expect(head + body).not.toMatch(/sealdrop-dev-target|arn:aws|at .*\.ts:/);
}

describe('a key', () => {
  const LONG = 'finance/'.padEnd(1024, 'k');
  test.each([
    ['of somebody else', '/objects/hr/salaries.txt', 403],
    ['of somebody else, encoded', '/objects/hr%2Fsalaries.txt', 403],
    [
      'of somebody else, every letter encoded',
      `/objects/${[...'hr/salaries.txt'].map((c) => `%${c.charCodeAt(0).toString(16)}`).join('')}`,
      403,
    ],
    ['that climbs', '/objects/finance/../hr/salaries.txt', 404],
    ['that climbs, encoded', '/objects/finance/%2e%2e/hr/salaries.txt', 404],
    ['that climbs, all encoded', '/objects/finance%2F%2e%2e%2Fhr%2Fsalaries.txt', 404],
    ['that climbs, encoded twice', '/objects/finance/%252e%252e/hr/salaries.txt', 404],
    ['that climbs out of the bucket', '/objects/finance/../../hr/salaries.txt', 400],
    ['that climbs by /object', '/object?key=finance/../salaries.txt', 404],
    ['that climbs out by /object', '/object?key=finance/../../salaries.txt', 400],
    ['in overlong UTF-8', '/objects/finance%c0%af..%c0%afhr/salaries.txt', 400],
    ['in half a character', '/objects/finance/%e2%82', 400],
    ['in a lone surrogate', '/objects/finance/%ed%a0%80', 400],
    ['with a lone percent', '/objects/finance/%', 400],
    ['with NUL', '/objects/finance/report.txt%00.pdf', 404],
    ['with NUL by /object', '/object?key=finance/report.txt%00', 404],
    ['with backslashes', '/objects/finance\\..\\hr\\salaries.txt', 403],
    ['with backslashes, encoded', '/objects/finance%5c..%5chr%5csalaries.txt', 403],
    ['that begins with a slash', '/objects//hr/salaries.txt', 403],
    ['with empty segments', '/objects/finance//report.txt', 404],
    ['with path parameters', '/objects/finance;/report.txt', 403],
    ['in another case', '/objects/FINANCE/report.txt', 403],
    ['of a fullwidth slash', '/objects/finance%ef%bc%8freport.txt', 403],
    ['of 1,024 bytes', `/object?key=${LONG}`, 404],
    ['of 1,025 bytes', `/object?key=${LONG}k`, 400],
    ['that is a prefix', '/objects/finance/', 404],
    ['that is none', '/object?key=', 400],
    ['given twice', '/object?key=finance/report.txt&key=hr/salaries.txt', 400],
    ['given in path and query', '/objects/finance/report.txt?key=hr/salaries.txt', 400],
    ['of another bucket by version', '/objects/finance/report.txt?versionId=../../other', 400],
    ['behind a fragment', '/objects/finance/report.txt#/../../hr/salaries.txt', 404],
  ])('%s: %s', async (_what, target, status) => {
    const answer = await send(target);
    expectHarmless(answer);
    expect(answer.status).toBe(status);
  });

  test('of somebody else is refused alike by HEAD, range and condition', async () => {
    for (const lines of [[], ['Range: bytes=0-1'], ['If-None-Match: *'], ['If-Match: "x"'], ['Range: bytes=99999-']]) {
      for (const method of ['GET', 'HEAD']) {
        const [there, missing] = [await send('/objects/hr/salaries.txt', lines, method), await send('/objects/hr/nothing', lines, method)];
        expectHarmless(there);
        expect([there.status, missing.status]).toEqual([403, 403]);
        expect(there.body.length).toBe(missing.body.length);
      }
    }
  });
});

describe('a range', () => {
  const many = (count: number) => Array.from({ length: count }, (_, at) => `${at}-${at}`).join(',');
  test.each([
    ['of thousands', `bytes=${many(700)}`, 200],
    ['that overlaps itself', `bytes=${Array.from({ length: 700 }, () => '0-').join(',')}`, 200],
    ['below nothing', 'bytes=--5', 200],
    ['backwards', 'bytes=5-2', 200],
    ['of no number', 'bytes=a-b', 200],
    ['of a number without end', `bytes=0-${'9'.repeat(3000)}`, 206],
    ['from a number without end', `bytes=${'9'.repeat(3000)}-`, 416],
    ['of nothing', 'bytes=-0', 416],
    ['behind the end', 'bytes=22-', 416],
    ['of another unit', 'seconds=0-1', 200],
  ])('%s is answered with %3$i', async (_what, range, status) => {
    const answer = await send('/objects/finance/report.txt', [`Range: ${range}`]);
    expectHarmless(answer);
    expect(answer.status).toBe(status);
    if (status === 200) expect(answer.body).toBe(FIGURES);
  });
});

describe('a header', () => {
  test.each([
    ['in a file name', '/objects/finance/report.txt?download=a%0d%0aSet-Cookie:%20x=1', []],
    ['in a file name of quotes', '/objects/finance/report.txt?download=a%22%3b%20filename=%22b', []],
    ['in a key', '/objects/finance/%0d%0aSet-Cookie:%20x=1?download', []],
    ['in a condition', '/objects/finance/report.txt', ['If-None-Match: "a\tb", W/"']],
  ])('is not injected %s', async (_what, target, lines) => {
    const answer = await send(target, lines);
    expectHarmless(answer);
    expect(answer.head.toLowerCase()).not.toContain('\r\nset-cookie');
    expect(answer.head.match(/content-disposition/gi)?.length ?? 0).toBeLessThanOrEqual(1);
  });

  test.each([
    ['of 15 kB', [`X-Large: ${'x'.repeat(15_000)}`]],
    ['of 100 kB', [`X-Large: ${'x'.repeat(100_000)}`]],
    ['two thousand times', Array.from({ length: 2_000 }, (_, at) => `X-${at}: x`)],
    ['without a name', [': x']],
    ['with a colon alone', [':']],
    ['with another authorization', ['Authorization: Bearer x']],
    ['with a length that lies', ['Content-Length: 5']],
    ['of two lengths', ['Content-Length: 5', 'Transfer-Encoding: chunked']],
  ])('%s breaks nothing', async (_what, lines) => {
    const answer = await send('/objects/hr/salaries.txt', lines).catch(() => ({ status: 400, head: '', body: '' }));
    // A connection that was closed at once said nothing.
    expectHarmless(answer.status === 0 ? { ...answer, status: 400 } : answer);
    expect((await send('/objects/finance/report.txt')).body).toBe(FIGURES);
  });
});

describe('a token', () => {
  const claims = { sub: 'mallory', groups: ['sealdrop-readers'] };
  const forged = async (alg: string, sign: (jwt: SignJWT) => Promise<string>, more = {}) => {
    const [head = ''] = finance.split('.');
    const { kid } = JSON.parse(Buffer.from(head, 'base64url').toString()) as { kid: string };
    const { iss, aud } = JSON.parse(Buffer.from(finance.split('.')[1] ?? '', 'base64url').toString()) as { iss: string; aud: string };
    return sign(
      new SignJWT({ ...claims, ...more }).setProtectedHeader({ alg, kid }).setIssuer(iss).setAudience(aud).setExpirationTime('1h'),
    );
  };
  const jwks = async () => {
    const { iss } = JSON.parse(Buffer.from(finance.split('.')[1] ?? '', 'base64url').toString()) as { iss: string };
    const discovered = (await (await fetch(`${iss}/.well-known/openid-configuration`)).json()) as { jwks_uri: string };
    return await (await fetch(discovered.jwks_uri)).text();
  };

  test('that was signed by another key, under the name of the true one, is none', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const rsa = await generateKeyPair('RS256');
    for (const token of [await forged('ES256', (jwt) => jwt.sign(privateKey)), await forged('RS256', (jwt) => jwt.sign(rsa.privateKey))]) {
      expect((await send('/objects/finance/report.txt', [], 'GET', token)).status).toBe(401);
    }
  });

  test('that was signed by the public key as a shared secret is none', async () => {
    const secret = Buffer.from(await jwks());
    const token = await forged('HS256', (jwt) => jwt.sign(secret));
    expect((await send('/objects/finance/report.txt', [], 'GET', token)).status).toBe(401);
  });

  test.each(['none', 'None', 'NONE', ''])('of the algorithm %j is none', async (alg) => {
    const [, payload] = finance.split('.');
    const head = Buffer.from(JSON.stringify({ alg, typ: 'JWT' })).toString('base64url');
    for (const token of [`${head}.${payload}.`, `${head}.${payload}.${finance.split('.')[2]}`]) {
      expect((await send('/objects/finance/report.txt', [], 'GET', token)).status).toBe(401);
    }
  });

  test.each([
    ['is over', { ttlSeconds: -120 }],
    ['never began', { ttlSeconds: -1_000_000 }],
  ])('that %s is none', async (_what, life) => {
    const token = await stack.sandbox.issueToken({ sub: 'fiona', groups: ['finance'], ...life });
    expect((await send('/objects/finance/report.txt', [], 'GET', token)).status).toBe(401);
  });

  test('in another place than the header is none', async () => {
    expect((await send(`/objects/finance/report.txt?access_token=${finance}`, [], 'GET', null)).status).toBe(401);
    expect((await send('/objects/finance/report.txt', [`Cookie: token=${finance}`], 'GET', null)).status).toBe(401);
  });
});

test(`no request of seed ${SEED} gets a failure, or what is not its caller's`, async () => {
  const piece = fc.constantFrom(
    '/',
    '..',
    '.',
    '%2e',
    '%2F',
    '%5c',
    '%00',
    '%25',
    '%',
    'hr',
    'finance',
    'salaries.txt',
    'report.txt',
    ';',
    '?',
    '&',
    'key=',
    '#',
    '%c0%af',
    '%ef%bb%bf',
    '+',
    '*',
    '~',
    '\\',
  );
  const target = fc
    .tuple(
      fc.constantFrom('/objects/', '/object?key=', '/objects/finance/', '/objects?prefix=', '/audit?key=', '/'),
      fc.array(piece, { maxLength: 8 }),
    )
    .map(([begin, rest]) => begin + rest.join(''));
  const value = fc.oneof(
    fc.stringMatching(/^[\x21-\x7e]{0,40}$/),
    fc.constantFrom('bytes=0-', 'bytes=-1', '*', '"x"', 'W/"x"', 'Fri, 20 Nov 2026 09:30:16 GMT'),
  );
  const line = fc
    .tuple(
      fc.constantFrom(
        'Range',
        'If-Match',
        'If-None-Match',
        'If-Range',
        'If-Modified-Since',
        'If-Unmodified-Since',
        'X-Forwarded-For',
        'X-Amz-Date',
        'Accept',
      ),
      value,
    )
    .map(([name, text]) => `${name}: ${text}`);
  await fc.assert(
    fc.asyncProperty(
      target,
      fc.array(line, { maxLength: 4 }),
      fc.constantFrom('GET', 'HEAD', 'GET', 'POST', 'OPTIONS'),
      async (asked, lines, method) => {
        expectHarmless(await send(asked, lines, method));
      },
    ),
    { numRuns: 250, seed: SEED },
  );
});
