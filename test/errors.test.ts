import { describe, expect, it } from 'vitest';
import { asSealdropError, ERROR_CODES, SealdropError } from '../src/errors.ts';
import { translateAwsError } from '../src/translate-aws-error.ts';
import { s3Error } from './fixtures/aws.ts';

const RETRYABLE = [
  'source-changed',
  'envelope-missing',
  'target-changed',
  'newer-under-way',
  'throttled',
  'time-out',
  'service-unavailable',
  'conflict',
  'record-missing',
  'audit-unavailable',
  'unknown',
];

describe('SealdropError', () => {
  it.each(ERROR_CODES)('%s says what to do, has a status, and is retryable only if it heals by itself', (code) => {
    const error = new SealdropError(code, 'what happened');
    expect(error).toMatchObject({ name: 'SealdropError', code, message: 'what happened', retryable: RETRYABLE.includes(code) });
    expect(error.nextStep).toMatch(/^[A-Z].{20,}\.$/);
    expect(error.status).toBeGreaterThanOrEqual(400);
    expect(error.status).toBeLessThan(600);
  });

  it('keeps its cause out of sight of JSON, where requests and claims could stand', () => {
    const error = new SealdropError('unknown', 'x', { cause: new Error('secret') });
    expect(error.cause).toBeInstanceOf(Error);
    expect(JSON.stringify(error)).not.toContain('secret');
    expect(new SealdropError('unknown', 'x')).not.toHaveProperty('cause');
  });
});

describe('a session token', () => {
  const TOKEN = 'FwoGZXIvYXdzEXAMPLE+/=';
  const MESSAGE = `The Canonical String for this request should have been\n'POST\n/\n\nhost:kms.us-east-1.amazonaws.com\nx-amz-security-token:${TOKEN}\n\nhost;x-amz-security-token\ne3b0'`;

  it.each([
    ['our own', (message: string) => new SealdropError('unknown', message)],
    ['a wrapped', (message: string) => asSealdropError(new Error(message))],
    ['a translated', (message: string) => translateAwsError(s3Error('InvalidSignatureException', 400, message), {})],
  ])('that a service quotes is in no message of %s error', (_, made) => {
    const { message } = made(MESSAGE);
    expect(message).not.toContain('FwoG');
    expect(message).toContain('x-amz-security-token:(left out)\n\nhost;x-amz-security-token\ne3b0');
    expect(made(MESSAGE.replaceAll('\n', '\\n')).message).toContain('x-amz-security-token:(left out)\\n\\nhost');
  });
});

describe('asSealdropError', () => {
  it('gives ours as it is when it names its object, or when there is none to name', () => {
    const named = new SealdropError('conflict', 'x', { object: { bucket: 'a', key: 'j' } });
    expect(asSealdropError(named, { bucket: 'b', key: 'k' })).toBe(named);
    const nameless = new SealdropError('conflict', 'x');
    expect(asSealdropError(nameless)).toBe(nameless);
  });

  it('names the object of ours that knows none', () => {
    const cause = new SealdropError('kms-key-denied', 'x');
    const object = { bucket: 'b', key: 'k' };
    expect(asSealdropError(cause, object)).toMatchObject({ code: 'kms-key-denied', message: 'x', retryable: false, object, cause });
  });

  it.each([
    [new TypeError('boom'), 'TypeError: boom'],
    ['boom', 'boom'],
    [undefined, 'undefined'],
  ])('wraps %s as unknown, retryable, with its object', (thrown, message) => {
    expect(asSealdropError(thrown, { bucket: 'b', key: 'k' })).toMatchObject({
      code: 'unknown',
      retryable: true,
      message,
      object: { key: 'k' },
    });
  });
});

describe('translateAwsError', () => {
  it("prefers what the call's own table says of a name", () => {
    expect(translateAwsError(s3Error('SlowDown', 503), { SlowDown: ['conflict', 'here'] })).toMatchObject({ code: 'conflict' });
  });

  it('gives ours as it is', () => {
    const error = new SealdropError('conflict', 'x');
    expect(translateAwsError(error, {})).toBe(error);
  });

  it.each([
    ['TimeoutError', 'time-out'],
    ['AbortError', 'time-out'],
    ['ThrottlingException', 'throttled'],
    ['TooManyRequestsException', 'throttled'],
    ['ProvisionedThroughputExceededException', 'throttled'],
    ['InternalServerError', 'service-unavailable'],
    ['ExpiredTokenException', 'service-unavailable'],
  ])('knows %s of any service as %s, which heals', (name, code) => {
    expect(translateAwsError(Object.assign(new Error('m'), { name }), {})).toMatchObject({ code, retryable: true });
  });

  it.each([null, undefined, 7, {}, { $metadata: null }, { code: 5 }])('takes %j for unknown without failing over it', (thrown) => {
    expect(translateAwsError(thrown, {})).toMatchObject({ code: 'unknown' });
  });
});
