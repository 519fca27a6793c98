import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import { createCustomerKeys } from '../../src/keys/secret-keys.ts';
import { mockAws, secretError } from '../fixtures/aws.ts';
import { KEY_MATERIAL, KEY_VERSION } from '../fixtures/objects.ts';

const NEXT_VERSION = 'bbbbbbbb-0000-4000-8000-000000000002';
const FIVE_MINUTES = 300_000;
const CURRENT = { VersionId: KEY_VERSION, SecretBinary: KEY_MATERIAL };

function world() {
  const { clients, secretsManager } = mockAws();
  const clock = { now: 1_000 };
  const keys = createCustomerKeys({ secretsManager: clients.secretsManager, secretId: 'customer-key', now: () => clock.now });
  secretsManager.on(GetSecretValueCommand).resolves(CURRENT);
  const asked = () => secretsManager.commandCalls(GetSecretValueCommand).map((call) => call.args[0].input);
  return { keys, clock, asked, secretsManager };
}

describe('the current customer key', () => {
  it('is asked for by its stage', async () => {
    const { keys, asked } = world();
    expect((await keys.current()).material.equals(KEY_MATERIAL)).toBe(true);
    expect(asked()).toEqual([{ SecretId: 'customer-key', VersionStage: 'AWSCURRENT' }]);
  });

  it('is one request for all who ask at once', async () => {
    const { keys, asked } = world();
    const all = await Promise.all(Array.from({ length: 20 }, () => keys.current()));
    expect(new Set(all).size).toBe(1);
    expect(asked()).toHaveLength(1);
  });

  it.each([
    [FIVE_MINUTES - 1, 1],
    [FIVE_MINUTES, 2],
    [FIVE_MINUTES + 1, 2],
  ])('after %d ms has cost %d requests', async (elapsed, requests) => {
    const { keys, clock, asked } = world();
    await keys.current();
    clock.now += elapsed;
    await keys.current();
    expect(asked()).toHaveLength(requests);
  });

  it('is the rotated one once the former has expired, and the former stays at hand', async () => {
    const { keys, clock, asked, secretsManager } = world();
    await keys.current();
    secretsManager.on(GetSecretValueCommand).resolves({ VersionId: NEXT_VERSION, SecretBinary: Buffer.alloc(32, 7) });
    expect((await keys.current()).versionId).toBe(KEY_VERSION);
    clock.now += FIVE_MINUTES;
    expect((await keys.current()).versionId).toBe(NEXT_VERSION);
    expect((await keys.version(KEY_VERSION)).material.equals(KEY_MATERIAL)).toBe(true);
    expect(asked()).toHaveLength(2);
  });

  it('is asked for anew after a failure', async () => {
    const { keys, asked, secretsManager } = world();
    secretsManager.on(GetSecretValueCommand).rejectsOnce(secretError('InternalServiceError')).resolves(CURRENT);
    await expect(keys.current()).rejects.toMatchObject({ code: 'service-unavailable', retryable: true });
    expect((await keys.current()).versionId).toBe(KEY_VERSION);
    expect(asked()).toHaveLength(2);
  });
});

describe('a version of the customer key', () => {
  it('is fetched by its id, once', async () => {
    const { keys, asked } = world();
    await keys.version(KEY_VERSION);
    await keys.version(KEY_VERSION);
    expect(asked()).toEqual([{ SecretId: 'customer-key', VersionId: KEY_VERSION }]);
  });

  it('is never the current one in place of a missing one', async () => {
    const { keys, secretsManager } = world();
    await keys.current();
    secretsManager.on(GetSecretValueCommand, { VersionId: NEXT_VERSION }).rejects(secretError('ResourceNotFoundException'));
    await expect(keys.version(NEXT_VERSION)).rejects.toMatchObject({ code: 'customer-key-missing' });
  });

  it('is still found after more versions than are kept', async () => {
    const { keys, secretsManager } = world();
    secretsManager
      .on(GetSecretValueCommand)
      .callsFake(async ({ VersionId }: { VersionId: string }) => ({ VersionId, SecretBinary: KEY_MATERIAL }));
    for (let version = 0; version <= 101; version += 1) await keys.version(`version-${version}`);
    expect((await keys.version('version-0')).versionId).toBe('version-0');
  });
});

describe('Secrets Manager refusing', () => {
  it.each([
    ['ResourceNotFoundException', 'customer-key-missing', false],
    ['InvalidRequestException', 'customer-key-missing', false],
    ['DecryptionFailure', 'customer-key-missing', false],
    ['AccessDeniedException', 'access-denied', false],
    ['ThrottlingException', 'throttled', true],
    ['InternalServiceError', 'service-unavailable', true],
  ])('with %s is %s', async (name, code, retryable) => {
    const { keys, secretsManager } = world();
    secretsManager.on(GetSecretValueCommand).rejects(secretError(name));
    await expect(keys.current()).rejects.toMatchObject({ code, retryable });
    await expect(keys.version('any')).rejects.toMatchObject({ code, retryable });
  });

  it.each([
    ['no value', { VersionId: KEY_VERSION }, 'customer-key-missing'],
    ['no version', { SecretBinary: KEY_MATERIAL }, 'customer-key-missing'],
    ['a value that is no key', { VersionId: KEY_VERSION, SecretString: 'hunter2' }, 'customer-key-invalid'],
  ])('by answering with %s is a failure by name', async (_what, answer, code) => {
    const { keys, secretsManager } = world();
    secretsManager.on(GetSecretValueCommand).resolves(answer);
    await expect(keys.current()).rejects.toMatchObject({ code, message: expect.not.stringContaining('hunter2') });
  });
});
