import { describe, expect, it } from 'vitest';
import { ERROR_CODES, SealdropError } from '../../src/errors.ts';
import { toJson, toProblem } from '../../src/http/problem.ts';

const SECRET = 'arn:aws:kms:us-east-1:000000000000:key/1 sealdrop-dev-target-000000000000-us-east-1';
/** What a caller did, or what there is to know: these say their detail. */
const TOLD = ['invalid-request', 'unauthenticated', 'forbidden', 'not-found', 'precondition-failed', 'range-not-satisfiable', 'use-ranges'];

describe('toProblem', () => {
  it('says what, which request and what to do', () => {
    const { statusCode, headers, body } = toProblem(new SealdropError('forbidden', 'You may not read this key'), 'request-1');
    expect(statusCode).toBe(403);
    expect(headers).toEqual({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' });
    expect(JSON.parse(body)).toEqual({
      type: 'about:blank',
      title: 'Forbidden',
      status: 403,
      code: 'forbidden',
      detail: 'You may not read this key. Ask for an access rule in policy.yml that covers this action and key.',
      instance: 'urn:request:request-1',
    });
  });

  it.each(ERROR_CODES.filter((code) => !TOLD.includes(code)))('gives %s by its name alone', (code) => {
    const error = new SealdropError(code, SECRET, { object: { bucket: SECRET, key: 'k' }, cause: new Error(SECRET) });
    const { statusCode, body } = toProblem(error, 'request-1');
    expect(statusCode).toBe(error.status);
    expect(JSON.parse(body)).toMatchObject({ code, status: error.status });
    expect(body).not.toMatch(/arn:|sealdrop-dev/);
  });

  it.each(ERROR_CODES)('asks to come back after %s only if that can help', (code) => {
    const error = new SealdropError(code, 'x');
    expect('retry-after' in toProblem(error, 'r').headers).toBe(error.retryable);
  });

  it('gives what nobody knows as 500, without its text', () => {
    const { statusCode, body } = toProblem(new TypeError(SECRET), 'r');
    expect(statusCode).toBe(500);
    expect(body).not.toContain('arn:');
  });

  it('names the scheme with a 401', () => {
    expect(toProblem(new SealdropError('unauthenticated', 'x'), 'r').headers).toMatchObject({ 'www-authenticate': 'Bearer' });
  });
});

describe('toJson', () => {
  it('is not for caches', () => {
    expect(toJson({ a: 1 })).toEqual({
      statusCode: 200,
      headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
      body: '{"a":1}',
    });
  });
});
