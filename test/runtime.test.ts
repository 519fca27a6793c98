import { afterEach, describe, expect, it, vi } from 'vitest';
import * as runtime from '../src/runtime.ts';
import { apiEvent, invoke, invokeStreaming } from './fixtures/api.ts';
import { event } from './fixtures/events.ts';

afterEach(() => void vi.unstubAllEnvs());

/** What each function needs: it says so at its first call, all at once. */
const NEEDS = {
  encrypt: [
    'TARGET_BUCKET',
    'TARGET_BUCKET_OWNER',
    'INGEST_BUCKET_OWNER',
    'AUDIT_TABLE',
    'KMS_KEY_ARN',
    'CUSTOMER_KEY_SECRET',
    'INGEST_QUEUE_URL',
    'DEAD_LETTER_QUEUE_URL',
    'MAX_RECEIVE_COUNT',
    'PARTS_ABOVE_BYTES',
    'PART_BYTES',
    'STACK_NAME',
  ],
  audit: [
    'TARGET_BUCKET',
    'TARGET_BUCKET_OWNER',
    'AUDIT_TABLE',
    'KMS_KEY_ARN',
    'ENCRYPT_ROLE_ID',
    'TARGET_EVENTS_QUEUE_URL',
    'DEAD_LETTER_QUEUE_URL',
    'MAX_RECEIVE_COUNT',
    'RECORD_GRACE_SECONDS',
    'STACK_NAME',
  ],
  authorize: ['OIDC_ISSUER', 'OIDC_AUDIENCE'],
  download: [
    'TARGET_BUCKET',
    'TARGET_BUCKET_OWNER',
    'AUDIT_TABLE',
    'CUSTOMER_KEY_SECRET',
    'KMS_KEY_ARN',
    'REDIRECT_ABOVE_BYTES',
    'STACK_NAME',
  ],
  share: ['TARGET_BUCKET', 'TARGET_BUCKET_OWNER', 'AUDIT_TABLE', 'STACK_NAME'],
  transit: [
    'TARGET_BUCKET',
    'TARGET_BUCKET_OWNER',
    'TRANSIT_BUCKET',
    'TRANSIT_BUCKET_OWNER',
    'AUDIT_TABLE',
    'KMS_KEY_ARN',
    'CUSTOMER_KEY_SECRET',
    'TRANSIT_QUEUE_URL',
    'DEAD_LETTER_QUEUE_URL',
    'MAX_RECEIVE_COUNT',
    'PARTS_ABOVE_BYTES',
    'PART_BYTES',
    'STACK_NAME',
  ],
  list: ['TARGET_BUCKET', 'TARGET_BUCKET_OWNER', 'AUDIT_TABLE', 'STACK_NAME'],
  history: ['TARGET_BUCKET', 'AUDIT_TABLE', 'STACK_NAME'],
};

const CALLS = {
  encrypt: { invoke, event: event('sqs-s3-put') },
  audit: { invoke, event: event('target-put') },
  authorize: { invoke, event: event('authorize') },
  download: { invoke: invokeStreaming, event: apiEvent({ path: { key: 'a' } }) },
  share: { invoke, event: { ...apiEvent({ method: 'POST' }), body: '{"key":"a"}' } },
  transit: { invoke, event: { Records: [] } },
  list: { invoke, event: apiEvent({}) },
  history: { invoke, event: apiEvent({ query: { key: ['a'] } }) },
};

describe('a function in an empty environment', () => {
  it.each(Object.keys(NEEDS) as (keyof typeof NEEDS)[])('%s can be imported, and then names all that it misses', async (name) => {
    for (const variable of new Set(Object.values(NEEDS).flat())) vi.stubEnv(variable, undefined);
    const { handler } = await import(`../handlers/${name}.ts`);
    const failure = CALLS[name].invoke(handler, CALLS[name].event);
    await expect(failure).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringMatching(new RegExp(`: ${NEEDS[name].join(', ')}$`)),
    });
  });
});

describe('lazily', () => {
  it('creates at first use, once', () => {
    const create = vi.fn(() => ({}));
    const get = runtime.lazily(create);
    expect(create).not.toHaveBeenCalled();
    expect(get()).toBe(get());
    expect(create).toHaveBeenCalledTimes(1);
  });

  it('keeps what is null or false', () => {
    const create = vi.fn(() => null);
    const get = runtime.lazily(create);
    expect([get(), get()]).toEqual([null, null]);
    expect(create).toHaveBeenCalledTimes(1);
  });

  it('tries again after a failure', () => {
    const create = vi
      .fn(() => 'made')
      .mockImplementationOnce(() => {
        throw new Error('not yet');
      });
    const get = runtime.lazily(create);
    expect(get).toThrow('not yet');
    expect(get()).toBe('made');
  });
});
