import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GenerateRandomCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  KMSClient,
  ListAliasesCommand,
  ListKeysCommand,
  ListResourceTagsCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
  TagResourceCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-kms';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Kms, openKms } from '../../../sandbox/kms/kms.ts';
import type { KeyCaller } from '../../../sandbox/service.ts';
import { aws, hasAwsCli } from '../wire/aws-cli.ts';
import { type SandboxServer, startSandbox } from '../wire/sandbox-server.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const context = { purpose: 'test', owner: 'é' };

let sandbox: SandboxServer;
let service: Kms;
let kms: KMSClient;
/** Who asks through a service, with a right of everything. */
let caller: KeyCaller;

beforeAll(async () => {
  sandbox = await startSandbox((state) => {
    service = openKms(state);
    return { services: { kms: service } };
  });
  kms = new KMSClient(sandbox.client);
  caller = { principal: sandbox.credentials.administrator().principal, viaService: 's3' };
});
afterEach(() => {
  vi.useRealTimers();
  expect(sandbox.defects).toEqual([]);
});
afterAll(async () => {
  kms.destroy();
  await sandbox.close();
});

async function createKey(): Promise<{ id: string; arn: string }> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
  return { id: KeyMetadata?.KeyId ?? '', arn: KeyMetadata?.Arn ?? '' };
}

async function encrypt(KeyId: string, text = 'secret'): Promise<Uint8Array> {
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from(text), EncryptionContext: context }));
  return CiphertextBlob ?? new Uint8Array();
}

const decrypt = (CiphertextBlob: Uint8Array, EncryptionContext: Record<string, string> = context) =>
  kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }));

describe('a ciphertext', () => {
  test('is made and opened for clients that name no grants, and refused to those that name one', async () => {
    const { arn } = await createKey();
    const named = { KeyId: arn, GrantTokens: [] };
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ ...named, Plaintext: Buffer.from('a') }));
    const { Plaintext } = await kms.send(new DecryptCommand({ ...named, CiphertextBlob }));
    expect(Buffer.from(Plaintext ?? []).toString()).toBe('a');
    await expect(kms.send(new DecryptCommand({ ...named, CiphertextBlob, GrantTokens: ['grant'] }))).rejects.toMatchObject({
      name: 'NotImplemented',
    });
  });

  test('comes back under the same context, whatever the order of its pairs', async () => {
    const { arn } = await createKey();
    const { Plaintext, KeyId } = await decrypt(await encrypt(arn), { owner: 'é', purpose: 'test' });
    expect(Buffer.from(Plaintext ?? []).toString()).toBe('secret');
    expect(KeyId).toBe(arn);
  });

  test.each([
    ['no context', {}],
    ['a pair less', { purpose: 'test' }],
    ['another value', { ...context, purpose: 'Test' }],
    ['a pair more', { ...context, more: '' }],
    ['name and value shifted', { purpos: 'etest', owner: 'é' }],
  ])('is an InvalidCiphertextException under %s', async (_title, other) => {
    const { id } = await createKey();
    await expect(decrypt(await encrypt(id), other)).rejects.toMatchObject({ name: 'InvalidCiphertextException' });
  });

  test('with any one byte flipped is refused, except where it names another key', async () => {
    const blob = await encrypt((await createKey()).id);
    for (let index = 0; index < blob.length; index += 1) {
      const broken = Uint8Array.from(blob);
      broken[index] = (broken[index] ?? 0) ^ 1;
      const inKeyId = index >= 1 && index <= 16;
      await expect(decrypt(broken)).rejects.toMatchObject({ name: inKeyId ? 'AccessDeniedException' : 'InvalidCiphertextException' });
    }
  });

  test('cut short is refused', async () => {
    const blob = await encrypt((await createKey()).id);
    for (const length of [1, 17, 44, blob.length - 1]) {
      await expect(decrypt(blob.subarray(0, length))).rejects.toMatchObject({ name: 'InvalidCiphertextException' });
    }
  });

  test('is an IncorrectKeyException when the caller names another key', async () => {
    const [mine, other] = await Promise.all([createKey(), createKey()]);
    const answer = kms.send(new DecryptCommand({ CiphertextBlob: await encrypt(mine.id), EncryptionContext: context, KeyId: other.arn }));
    await expect(answer).rejects.toMatchObject({ name: 'IncorrectKeyException' });
  });

  test('moves to another key and context with ReEncrypt', async () => {
    const [from, to] = await Promise.all([createKey(), createKey()]);
    const moved = await kms.send(
      new ReEncryptCommand({
        CiphertextBlob: await encrypt(from.id),
        SourceEncryptionContext: context,
        DestinationKeyId: to.id,
        DestinationEncryptionContext: { new: 'context' },
      }),
    );
    expect(moved).toMatchObject({ SourceKeyId: from.arn, KeyId: to.arn });
    const { Plaintext, KeyId } = await decrypt(moved.CiphertextBlob ?? new Uint8Array(), { new: 'context' });
    expect([Buffer.from(Plaintext ?? []).toString(), KeyId]).toEqual(['secret', to.arn]);
  });

  test.each([
    [0, false],
    [1, true],
    [4096, true],
    [4097, false],
  ])('of %i bytes is made: %s', async (size, accepted) => {
    const { id } = await createKey();
    const answer = kms.send(new EncryptCommand({ KeyId: id, Plaintext: Buffer.alloc(size) }));
    if (accepted) await expect(answer).resolves.toMatchObject({ EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' });
    else await expect(answer).rejects.toMatchObject({ name: 'ValidationException' });
  });
});

describe('a data key', () => {
  test.each([
    [{ KeySpec: 'AES_256' as const }, 32],
    [{ KeySpec: 'AES_128' as const }, 16],
    [{ NumberOfBytes: 1 }, 1],
    [{ NumberOfBytes: 1024 }, 1024],
  ])('asked for by %o has %i bytes and is what its blob decrypts to', async (size, bytes) => {
    const { id } = await createKey();
    const { Plaintext, CiphertextBlob } = await kms.send(new GenerateDataKeyCommand({ KeyId: id, EncryptionContext: context, ...size }));
    expect(Plaintext).toHaveLength(bytes);
    expect((await decrypt(CiphertextBlob ?? new Uint8Array())).Plaintext).toEqual(Plaintext);
  });

  test.each([[{}], [{ KeySpec: 'AES_256' as const, NumberOfBytes: 32 }], [{ NumberOfBytes: 0 }], [{ NumberOfBytes: 1025 }]])(
    'cannot be asked for by %o',
    async (size) => {
      const { id } = await createKey();
      await expect(kms.send(new GenerateDataKeyCommand({ KeyId: id, ...size }))).rejects.toMatchObject({ name: 'ValidationException' });
    },
  );

  test('without plaintext answers without plaintext', async () => {
    const { id } = await createKey();
    const answer = await kms.send(
      new GenerateDataKeyWithoutPlaintextCommand({ KeyId: id, KeySpec: 'AES_256', EncryptionContext: context }),
    );
    expect(answer).not.toHaveProperty('Plaintext');
    expect((await decrypt(answer.CiphertextBlob ?? new Uint8Array())).Plaintext).toHaveLength(32);
  });

  test('is the same in process and on the wire, errors included', async () => {
    const { id, arn } = await createKey();
    const made = service.generateDataKey(id, context, caller);
    expect(made.keyArn).toBe(arn);
    expect(Buffer.from((await decrypt(made.ciphertextBlob)).Plaintext ?? [])).toEqual(made.plaintext);
    expect(() => service.decrypt(made.ciphertextBlob, {}, caller)).toThrowError(
      expect.objectContaining({ code: 'InvalidCiphertextException' }),
    );
    await kms.send(new DisableKeyCommand({ KeyId: id }));
    expect(() => service.generateDataKey(id, {}, caller)).toThrowError(
      expect.objectContaining({ code: 'DisabledException', message: `${arn} is disabled.` }),
    );
    expect(() => service.decrypt(made.ciphertextBlob, context, caller)).toThrowError(
      expect.objectContaining({ code: 'DisabledException' }),
    );
    expect(() => service.requireUsable('alias/none')).toThrowError(expect.objectContaining({ code: 'NotFoundException' }));
  });

  test('random bytes come in the number asked for', async () => {
    expect((await kms.send(new GenerateRandomCommand({ NumberOfBytes: 33 }))).Plaintext).toHaveLength(33);
  });
});

describe('a key', () => {
  test('is named by id, ARN, alias and alias ARN', async () => {
    const { id, arn } = await createKey();
    const AliasName = `alias/app/${id}`;
    await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: arn }));
    for (const KeyId of [id, arn, AliasName, `arn:aws:kms:us-east-1:000000000000:${AliasName}`]) {
      expect((await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.Arn).toBe(arn);
      expect((await kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }))).KeyId).toBe(arn);
    }
  });

  test.each([
    [
      '00000000-0000-4000-8000-000000000000',
      "Key 'arn:aws:kms:us-east-1:000000000000:key/00000000-0000-4000-8000-000000000000' does not exist",
    ],
    ['alias/none', 'Alias arn:aws:kms:us-east-1:000000000000:alias/none is not found.'],
    ['alias/aws/none', 'Alias arn:aws:kms:us-east-1:000000000000:alias/aws/none is not found.'],
    ['nonsense', "Invalid keyId 'nonsense'"],
    ['arn:aws:kms:eu-west-1:000000000000:key/00000000-0000-4000-8000-000000000000', 'Invalid arn eu-west-1'],
  ])('named %s is not found', async (KeyId, message) => {
    await expect(kms.send(new DescribeKeyCommand({ KeyId }))).rejects.toMatchObject({ name: 'NotFoundException', message });
  });

  test('that is disabled refuses every use and works again once enabled', async () => {
    const { id, arn } = await createKey();
    const blob = await encrypt(id);
    await kms.send(new DisableKeyCommand({ KeyId: id }));
    const uses = [encrypt(id), decrypt(blob), kms.send(new GenerateDataKeyCommand({ KeyId: id, KeySpec: 'AES_256' }))];
    for (const result of await Promise.allSettled(uses)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { name: 'DisabledException', message: `${arn} is disabled.` } });
    }
    expect((await kms.send(new DescribeKeyCommand({ KeyId: id }))).KeyMetadata).toMatchObject({ Enabled: false, KeyState: 'Disabled' });
    await kms.send(new EnableKeyCommand({ KeyId: id }));
    await expect(decrypt(blob)).resolves.toBeDefined();
  });

  test('that is pending deletion refuses every use, and is disabled once that is cancelled', async () => {
    const { id, arn } = await createKey();
    const blob = await encrypt(id);
    const { DeletionDate, KeyState } = await kms.send(new ScheduleKeyDeletionCommand({ KeyId: id, PendingWindowInDays: 7 }));
    expect(KeyState).toBe('PendingDeletion');
    expect(Math.round(((DeletionDate?.getTime() ?? 0) - Date.now()) / DAY_MS)).toBe(7);
    const refused = { name: 'KMSInvalidStateException', message: `${arn} is pending deletion.` };
    await expect(decrypt(blob)).rejects.toMatchObject(refused);
    await expect(kms.send(new EnableKeyCommand({ KeyId: id }))).rejects.toMatchObject(refused);
    await expect(kms.send(new ScheduleKeyDeletionCommand({ KeyId: id }))).rejects.toMatchObject(refused);
    await kms.send(new CancelKeyDeletionCommand({ KeyId: id }));
    expect((await kms.send(new DescribeKeyCommand({ KeyId: id }))).KeyMetadata?.KeyState).toBe('Disabled');
    await expect(kms.send(new CancelKeyDeletionCommand({ KeyId: id }))).rejects.toMatchObject({
      message: `${arn} is not pending deletion.`,
    });
  });

  test('is gone when its window is over, with its aliases and what it encrypted', async () => {
    const { id, arn } = await createKey();
    const blob = await encrypt(id);
    await kms.send(new CreateAliasCommand({ AliasName: `alias/${id}`, TargetKeyId: id }));
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: id, PendingWindowInDays: 7 }));
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 7 * DAY_MS + 1000 });
    expect(() => service.requireUsable(arn)).toThrowError(expect.objectContaining({ code: 'NotFoundException' }));
    expect(() => service.requireUsable(`alias/${id}`)).toThrowError(expect.objectContaining({ code: 'NotFoundException' }));
    expect(() => service.decrypt(Buffer.from(blob), context, caller)).toThrowError(
      expect.objectContaining({ code: 'AccessDeniedException' }),
    );
  });

  test.each([
    [6, false],
    [7, true],
    [30, true],
    [31, false],
  ])('can be deleted in %i days: %s', async (PendingWindowInDays, accepted) => {
    const { id } = await createKey();
    const answer = kms.send(new ScheduleKeyDeletionCommand({ KeyId: id, PendingWindowInDays }));
    if (accepted) await expect(answer).resolves.toMatchObject({ PendingWindowInDays });
    else await expect(answer).rejects.toMatchObject({ name: 'ValidationException' });
  });

  test.each([
    [{ KeySpec: 'RSA_2048' as const, KeyUsage: 'SIGN_VERIFY' as const }],
    [{ Origin: 'EXTERNAL' as const }],
    [{ MultiRegion: true }],
  ])('of another kind (%o) is an UnsupportedOperationException', async (kind) => {
    await expect(kms.send(new CreateKeyCommand(kind))).rejects.toMatchObject({ name: 'UnsupportedOperationException' });
  });

  test('keeps its policy, description and tags', async () => {
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::000000000000:root' }, Action: 'kms:*', Resource: '*' }],
    });
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Policy, Description: 'mine', Tags: [{ TagKey: 'a', TagValue: '1' }] }));
    const KeyId = KeyMetadata?.KeyId;
    expect(KeyMetadata).toMatchObject({ Description: 'mine', KeyManager: 'CUSTOMER', KeyState: 'Enabled', Enabled: true });
    expect((await kms.send(new GetKeyPolicyCommand({ KeyId }))).Policy).toBe(Policy);
    const other = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' }],
    });
    await kms.send(new PutKeyPolicyCommand({ KeyId, Policy: other }));
    expect((await kms.send(new GetKeyPolicyCommand({ KeyId }))).Policy).toBe(other);
    await expect(kms.send(new PutKeyPolicyCommand({ KeyId, Policy: '{' }))).rejects.toMatchObject({
      name: 'MalformedPolicyDocumentException',
    });
    await kms.send(
      new TagResourceCommand({
        KeyId,
        Tags: [
          { TagKey: 'a', TagValue: '2' },
          { TagKey: 'b', TagValue: '3' },
        ],
      }),
    );
    expect((await kms.send(new ListResourceTagsCommand({ KeyId }))).Tags).toEqual([
      { TagKey: 'a', TagValue: '2' },
      { TagKey: 'b', TagValue: '3' },
    ]);
  });

  test('remembers its rotation', async () => {
    const { id } = await createKey();
    expect((await kms.send(new GetKeyRotationStatusCommand({ KeyId: id }))).KeyRotationEnabled).toBe(false);
    await kms.send(new EnableKeyRotationCommand({ KeyId: id, RotationPeriodInDays: 90 }));
    expect(await kms.send(new GetKeyRotationStatusCommand({ KeyId: id }))).toMatchObject({
      KeyRotationEnabled: true,
      RotationPeriodInDays: 90,
    });
  });

  test('is listed once, page by page', async () => {
    await Promise.all([createKey(), createKey(), createKey()]);
    const ids: (string | undefined)[] = [];
    let Marker: string | undefined;
    do {
      const page = await kms.send(new ListKeysCommand({ Limit: 2, ...(Marker ? { Marker } : {}) }));
      ids.push(...(page.Keys ?? []).map(({ KeyId }) => KeyId));
      Marker = page.NextMarker;
    } while (Marker);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThanOrEqual(3);
    await expect(kms.send(new ListKeysCommand({ Marker: '!' }))).rejects.toMatchObject({ name: 'InvalidMarkerException' });
  });
});

describe('an alias', () => {
  test('is made once, moves to another key, and can be removed', async () => {
    const [first, second] = await Promise.all([createKey(), createKey()]);
    const AliasName = `alias/move-${first.id}`;
    await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: first.id }));
    await expect(kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: second.id }))).rejects.toMatchObject({
      name: 'AlreadyExistsException',
    });
    await kms.send(new UpdateAliasCommand({ AliasName, TargetKeyId: second.id }));
    expect((await kms.send(new ListAliasesCommand({ KeyId: second.id }))).Aliases).toMatchObject([{ AliasName, TargetKeyId: second.id }]);
    expect((await kms.send(new ListAliasesCommand({ KeyId: first.id }))).Aliases).toEqual([]);
    await kms.send(new DeleteAliasCommand({ AliasName }));
    await expect(kms.send(new DescribeKeyCommand({ KeyId: AliasName }))).rejects.toMatchObject({ name: 'NotFoundException' });
  });

  test.each([
    ['no-prefix', 'ValidationException'],
    ['alias/aws/mine', 'InvalidAliasNameException'],
    ['alias/with space', 'ValidationException'],
  ])('cannot be called %s', async (AliasName, name) => {
    const { id } = await createKey();
    await expect(kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: id }))).rejects.toMatchObject({ name });
  });
});

describe('an AWS managed key', () => {
  test('comes to be at first use and stays the same', async () => {
    const arn = service.requireUsable('alias/aws/s3');
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: 'alias/aws/s3' }));
    expect(KeyMetadata).toMatchObject({ Arn: arn, KeyManager: 'AWS', KeyState: 'Enabled' });
  });

  test('can be changed by no caller', async () => {
    const KeyId = service.requireUsable('alias/aws/s3');
    const attempts = [
      kms.send(new DisableKeyCommand({ KeyId })),
      kms.send(new ScheduleKeyDeletionCommand({ KeyId })),
      kms.send(new PutKeyPolicyCommand({ KeyId, Policy: '{"Statement":[]}' })),
      kms.send(new EnableKeyRotationCommand({ KeyId })),
    ];
    for (const result of await Promise.allSettled(attempts)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { name: 'AccessDeniedException' } });
    }
    expect(service.requireUsable('alias/aws/s3')).toBe(KeyId);
  });
});

describe('on disk', () => {
  test('keys survive a restart and what they encrypted with them', async () => {
    const blob = await encrypt((await createKey()).id);
    expect(openKms(sandbox.state).decrypt(Buffer.from(blob), context, caller).plaintext.toString()).toBe('secret');
  });

  test('the root key is this user’s alone, and key material is not in the database', () => {
    const path = join(sandbox.state.dir, 'kms', 'root.key');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path)).toHaveLength(32);
    const wrapped = sandbox.state.db.prepare('SELECT length(wrapped_material) AS bytes FROM kms_keys').all();
    expect(new Set(wrapped.map(({ bytes }) => bytes))).toEqual(new Set([12 + 32 + 16]));
  });

  test('wrapped material of one key does not stand in for another’s', async () => {
    const [a, b] = await Promise.all([createKey(), createKey()]);
    sandbox.state.db
      .prepare('UPDATE kms_keys SET wrapped_material = (SELECT wrapped_material FROM kms_keys WHERE id = ?) WHERE id = ?')
      .run(a.id, b.id);
    expect(() => openKms(sandbox.state).generateDataKey(b.id, {}, caller)).toThrow('unable to authenticate data');
  });
});

describe('what is not here', () => {
  test('is a 501 that names it: an operation, a member', async () => {
    const { CreateGrantCommand } = await import('@aws-sdk/client-kms');
    const { id } = await createKey();
    const grant = new CreateGrantCommand({ KeyId: id, GranteePrincipal: 'arn:aws:iam::000000000000:root', Operations: ['Decrypt'] });
    await expect(kms.send(grant)).rejects.toMatchObject({ name: 'UnknownOperationException', $metadata: { httpStatusCode: 501 } });
    await expect(kms.send(new EncryptCommand({ KeyId: id, Plaintext: Buffer.from('x'), DryRun: true }))).rejects.toMatchObject({
      name: 'NotImplemented',
      message: expect.stringContaining('DryRun'),
    });
  });

  test('says what is wrong with malformed input', async () => {
    await expect(service.call('DescribeKey', {})).rejects.toMatchObject({
      code: 'ValidationException',
      message: "1 validation error detected: Value at 'keyId' failed to satisfy constraint: Member must not be null",
    });
    await expect(service.call('DescribeKey', { KeyId: 5 })).rejects.toMatchObject({ code: 'SerializationException' });
    await expect(service.call('Encrypt', { KeyId: 'x', Plaintext: '###' })).rejects.toMatchObject({ code: 'ValidationException' });
  });
});

test.runIf(hasAwsCli)('the AWS CLI makes a key, encrypts and decrypts', async () => {
  const { KeyMetadata } = (await aws(sandbox, 'kms', 'create-key', '--description', 'by the CLI')) ?? {};
  const { KeyId } = KeyMetadata as { KeyId: string };
  await aws(sandbox, 'kms', 'create-alias', '--alias-name', 'alias/cli', '--target-key-id', KeyId);
  const { CiphertextBlob } = (await aws(sandbox, 'kms', 'encrypt', '--key-id', 'alias/cli', '--plaintext', 'fileb:///etc/hostname')) ?? {};
  const { plaintext } = service.decrypt(Buffer.from(String(CiphertextBlob), 'base64'), {}, caller);
  expect(plaintext).toEqual(readFileSync('/etc/hostname'));
  await aws(sandbox, 'kms', 'disable-key', '--key-id', KeyId);
  await expect(aws(sandbox, 'kms', 'encrypt', '--key-id', KeyId, '--plaintext', 'fileb:///etc/hostname')).rejects.toThrow(
    '(DisabledException)',
  );
});
