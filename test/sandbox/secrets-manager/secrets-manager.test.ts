import { randomUUID } from 'node:crypto';
import { CreateKeyCommand, DisableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetRandomPasswordCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  RestoreSecretCommand,
  SecretsManagerClient,
  TagResourceCommand,
  UpdateSecretCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openKms } from '../../../sandbox/kms/kms.ts';
import { generateSecretString } from '../../../sandbox/secrets-manager/password.ts';
import { openSecretsManager } from '../../../sandbox/secrets-manager/secrets-manager.ts';
import { aws, hasAwsCli } from '../wire/aws-cli.ts';
import { type SandboxServer, startSandbox } from '../wire/sandbox-server.ts';

let sandbox: SandboxServer;
let secrets: SecretsManagerClient;
let kms: KMSClient;

beforeAll(async () => {
  sandbox = await startSandbox((state) => {
    const kmsService = openKms(state);
    return { services: { kms: kmsService, secretsmanager: openSecretsManager(state, kmsService) } };
  });
  secrets = new SecretsManagerClient(sandbox.client);
  kms = new KMSClient(sandbox.client);
});
afterEach(() => expect(sandbox.defects).toEqual([]));
afterAll(async () => {
  secrets.destroy();
  kms.destroy();
  await sandbox.close();
});

async function createSecret(value = 'first', extra: { KmsKeyId?: string } = {}) {
  const {
    ARN = '',
    Name = '',
    VersionId = '',
  } = await secrets.send(new CreateSecretCommand({ Name: `app/${randomUUID()}`, SecretString: value, ...extra }));
  return { ARN, Name, VersionId };
}

async function stagesOf(SecretId: string) {
  return (await secrets.send(new DescribeSecretCommand({ SecretId }))).VersionIdsToStages;
}

describe('a secret', () => {
  test('is found by name, by ARN and by ARN without its six random characters', async () => {
    const { ARN, Name } = await createSecret('value');
    expect(ARN).toMatch(new RegExp(`^arn:aws:secretsmanager:us-east-1:000000000000:secret:${Name}-[A-Za-z0-9]{6}$`));
    for (const SecretId of [Name, ARN, ARN.slice(0, -7)]) {
      expect(await secrets.send(new GetSecretValueCommand({ SecretId }))).toMatchObject({
        ARN,
        Name,
        SecretString: 'value',
        VersionStages: ['AWSCURRENT'],
      });
    }
  });

  test('keeps 32 binary bytes as they are', async () => {
    const SecretBinary = Buffer.from(Array.from({ length: 32 }, (_, index) => 255 - index));
    const { Name } = await secrets.send(new CreateSecretCommand({ Name: randomUUID(), SecretBinary }));
    const { SecretBinary: back, SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: Name }));
    expect(Buffer.from(back ?? [])).toEqual(SecretBinary);
    expect(SecretString).toBeUndefined();
  });

  test('that is missing is a ResourceNotFoundException in AWS’s words', async () => {
    await expect(secrets.send(new GetSecretValueCommand({ SecretId: 'nobody' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: "Secrets Manager can't find the specified secret.",
    });
  });

  test('may be 65,536 bytes long and not one more', async () => {
    await createSecret('x'.repeat(65_536));
    await expect(createSecret('x'.repeat(65_537))).rejects.toMatchObject({ name: 'ValidationException' });
  });

  test('is created once: the same token and value repeat it, another value does not', async () => {
    const request = { Name: randomUUID(), SecretString: 'a', ClientRequestToken: randomUUID() };
    const first = await secrets.send(new CreateSecretCommand(request));
    expect((await secrets.send(new CreateSecretCommand(request))).ARN).toBe(first.ARN);
    await expect(secrets.send(new CreateSecretCommand({ ...request, SecretString: 'b' }))).rejects.toMatchObject({
      name: 'ResourceExistsException',
    });
  });

  test('without a value has none', async () => {
    const { Name } = await secrets.send(new CreateSecretCommand({ Name: randomUUID() }));
    await expect(secrets.send(new GetSecretValueCommand({ SecretId: Name }))).rejects.toMatchObject({
      message: "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
    });
  });

  test('cannot have both kinds of value', async () => {
    const both = new CreateSecretCommand({ Name: randomUUID(), SecretString: 'a', SecretBinary: Buffer.from('b') });
    await expect(secrets.send(both)).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });

  test('is listed by name prefix, page by page', async () => {
    const prefix = randomUUID();
    const names = [1, 2, 3].map((n) => `${prefix}/${n}`);
    for (const Name of names) await secrets.send(new CreateSecretCommand({ Name, SecretString: 'x', Tags: [{ Key: 'n', Value: Name }] }));
    const listed: (string | undefined)[] = [];
    let NextToken: string | undefined;
    do {
      const page = await secrets.send(
        new ListSecretsCommand({ MaxResults: 2, Filters: [{ Key: 'name', Values: [prefix] }], ...(NextToken ? { NextToken } : {}) }),
      );
      listed.push(...(page.SecretList ?? []).map(({ Name }) => Name));
      NextToken = page.NextToken;
    } while (NextToken);
    expect(listed).toEqual(names);
  });

  test('keeps the last value of a tag', async () => {
    const { Name } = await createSecret();
    for (const Value of ['1', '2']) await secrets.send(new TagResourceCommand({ SecretId: Name, Tags: [{ Key: 'team', Value }] }));
    expect((await secrets.send(new DescribeSecretCommand({ SecretId: Name }))).Tags).toEqual([{ Key: 'team', Value: '2' }]);
  });
});

describe('versions', () => {
  test('a new value becomes AWSCURRENT and the old one AWSPREVIOUS', async () => {
    const { Name, VersionId: first } = await createSecret('1');
    const { VersionId: second = '' } = await secrets.send(new PutSecretValueCommand({ SecretId: Name, SecretString: '2' }));
    expect(await stagesOf(Name)).toEqual({ [first]: ['AWSPREVIOUS'], [second]: ['AWSCURRENT'] });
    const { VersionId: third = '' } = await secrets.send(new UpdateSecretCommand({ SecretId: Name, SecretString: '3' }));
    expect(await stagesOf(Name)).toEqual({ [second]: ['AWSPREVIOUS'], [third]: ['AWSCURRENT'] });
    expect((await secrets.send(new GetSecretValueCommand({ SecretId: Name, VersionId: first }))).SecretString).toBe('1');
    expect((await secrets.send(new GetSecretValueCommand({ SecretId: Name, VersionStage: 'AWSPREVIOUS' }))).SecretString).toBe('2');
  });

  test('a repeated token with the same value changes nothing, with another value it is refused', async () => {
    const { Name } = await createSecret('1');
    const put = { SecretId: Name, ClientRequestToken: randomUUID(), VersionStages: ['AWSPENDING'] };
    await secrets.send(new PutSecretValueCommand({ ...put, SecretString: '2' }));
    const before = await stagesOf(Name);
    await secrets.send(new PutSecretValueCommand({ ...put, SecretString: '2' }));
    expect(await stagesOf(Name)).toEqual(before);
    await expect(secrets.send(new PutSecretValueCommand({ ...put, SecretString: '3' }))).rejects.toMatchObject({
      name: 'ResourceExistsException',
    });
  });

  test('a rotation moves AWSCURRENT from the old version to the pending one', async () => {
    const { Name, VersionId: old } = await createSecret('1');
    const { VersionId: pending = '' } = await secrets.send(
      new PutSecretValueCommand({ SecretId: Name, SecretString: '2', VersionStages: ['AWSPENDING'] }),
    );
    expect((await secrets.send(new GetSecretValueCommand({ SecretId: Name }))).SecretString).toBe('1');
    expect(await stagesOf(Name)).toEqual({ [old]: ['AWSCURRENT'], [pending]: ['AWSPENDING'] });
    const move = { SecretId: Name, VersionStage: 'AWSCURRENT', MoveToVersionId: pending };
    await expect(secrets.send(new UpdateSecretVersionStageCommand(move))).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: expect.stringContaining(`currently attached to version ${old}`),
    });
    await secrets.send(new UpdateSecretVersionStageCommand({ ...move, RemoveFromVersionId: old }));
    expect(await stagesOf(Name)).toEqual({ [old]: ['AWSPREVIOUS'], [pending]: ['AWSCURRENT', 'AWSPENDING'] });
    await secrets.send(new UpdateSecretVersionStageCommand({ SecretId: Name, VersionStage: 'AWSPENDING', RemoveFromVersionId: pending }));
    expect(await stagesOf(Name)).toEqual({ [old]: ['AWSPREVIOUS'], [pending]: ['AWSCURRENT'] });
  });

  test('AWSCURRENT cannot be removed, only moved', async () => {
    const { Name, VersionId } = await createSecret();
    const remove = new UpdateSecretVersionStageCommand({ SecretId: Name, VersionStage: 'AWSCURRENT', RemoveFromVersionId: VersionId });
    await expect(secrets.send(remove)).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });

  test('twenty labels fit, the twenty-first does not and leaves no trace', async () => {
    const { Name, VersionId } = await createSecret();
    const attach = (label: string) =>
      secrets.send(new UpdateSecretVersionStageCommand({ SecretId: Name, VersionStage: label, MoveToVersionId: VersionId }));
    for (let n = 2; n <= 20; n += 1) await attach(`label-${n}`);
    await expect(attach('label-21')).rejects.toMatchObject({ name: 'LimitExceededException' });
    expect((await stagesOf(Name))?.[VersionId]).toHaveLength(20);
  });

  test('a version without a label is listed only when deprecated ones are asked for', async () => {
    const { Name, VersionId: first } = await createSecret('1');
    for (const SecretString of ['2', '3']) await secrets.send(new PutSecretValueCommand({ SecretId: Name, SecretString }));
    const list = async (IncludeDeprecated: boolean) =>
      ((await secrets.send(new ListSecretVersionIdsCommand({ SecretId: Name, IncludeDeprecated }))).Versions ?? []).map(
        ({ VersionId }) => VersionId,
      );
    expect(await list(false)).toHaveLength(2);
    expect(await list(true)).toHaveLength(3);
    expect(await list(true)).toContain(first);
  });

  test('a label that the named version does not have is an InvalidRequestException', async () => {
    const { Name, VersionId } = await createSecret();
    const get = new GetSecretValueCommand({ SecretId: Name, VersionId, VersionStage: 'AWSPREVIOUS' });
    await expect(secrets.send(get)).rejects.toMatchObject({ name: 'InvalidRequestException' });
  });
});

describe('deletion', () => {
  test('makes the secret unusable, keeps its name taken, and can be taken back', async () => {
    const { Name } = await createSecret('kept');
    await secrets.send(new DeleteSecretCommand({ SecretId: Name, RecoveryWindowInDays: 7 }));
    await expect(secrets.send(new GetSecretValueCommand({ SecretId: Name }))).rejects.toMatchObject({
      name: 'InvalidRequestException',
      message: "You can't perform this operation on the secret because it was marked for deletion.",
    });
    await expect(secrets.send(new CreateSecretCommand({ Name, SecretString: 'x' }))).rejects.toMatchObject({
      name: 'InvalidRequestException',
    });
    expect((await secrets.send(new DescribeSecretCommand({ SecretId: Name }))).DeletedDate).toBeInstanceOf(Date);
    await secrets.send(new RestoreSecretCommand({ SecretId: Name }));
    expect((await secrets.send(new GetSecretValueCommand({ SecretId: Name }))).SecretString).toBe('kept');
  });

  test.each([
    [6, false],
    [7, true],
    [30, true],
    [31, false],
  ])('a window of %i days is accepted: %s', async (RecoveryWindowInDays, accepted) => {
    const { Name } = await createSecret();
    const answer = secrets.send(new DeleteSecretCommand({ SecretId: Name, RecoveryWindowInDays }));
    if (accepted) await expect(answer).resolves.toMatchObject({ Name });
    else await expect(answer).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });

  test('by force frees the name at once, and does not mind a secret that is not there', async () => {
    const { Name } = await createSecret('old');
    const force = new DeleteSecretCommand({ SecretId: Name, ForceDeleteWithoutRecovery: true });
    await secrets.send(force);
    await secrets.send(force);
    await secrets.send(new CreateSecretCommand({ Name, SecretString: 'new' }));
    expect((await secrets.send(new GetSecretValueCommand({ SecretId: Name }))).SecretString).toBe('new');
  });
});

describe('encryption at rest', () => {
  test('uses the secret’s own key: disabled, it can neither be read nor written', async () => {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    const KmsKeyId = KeyMetadata?.Arn ?? '';
    const { Name } = await createSecret('sealed', { KmsKeyId });
    expect((await secrets.send(new GetSecretValueCommand({ SecretId: Name }))).SecretString).toBe('sealed');
    await kms.send(new DisableKeyCommand({ KeyId: KmsKeyId }));
    await expect(secrets.send(new GetSecretValueCommand({ SecretId: Name }))).rejects.toMatchObject({ name: 'DecryptionFailure' });
    await expect(secrets.send(new PutSecretValueCommand({ SecretId: Name, SecretString: 'x' }))).rejects.toMatchObject({
      name: 'EncryptionFailure',
    });
  });

  test('moves to a new key with UpdateSecret', async () => {
    const [first, second] = await Promise.all([kms.send(new CreateKeyCommand({})), kms.send(new CreateKeyCommand({}))]);
    const { Name } = await createSecret('moved', { KmsKeyId: first.KeyMetadata?.Arn ?? '' });
    await secrets.send(new UpdateSecretCommand({ SecretId: Name, KmsKeyId: second.KeyMetadata?.KeyId }));
    await kms.send(new DisableKeyCommand({ KeyId: first.KeyMetadata?.KeyId }));
    expect((await secrets.send(new GetSecretValueCommand({ SecretId: Name }))).SecretString).toBe('moved');
  });

  test('leaves no value in the database', async () => {
    const value = `needle-${randomUUID()}`;
    await createSecret(value);
    const rows = sandbox.state.db.prepare('SELECT * FROM secretsmanager_versions').all();
    const bytes = rows.flatMap((row) => Object.values(row)).map((cell) => Buffer.from(cell instanceof Uint8Array ? cell : String(cell)));
    expect(rows.length).toBeGreaterThan(0);
    expect(Buffer.concat(bytes).includes(value)).toBe(false);
  });
});

describe('random passwords', () => {
  test('have 32 characters of every type unless told otherwise', async () => {
    const { RandomPassword = '' } = await secrets.send(new GetRandomPasswordCommand({}));
    expect(RandomPassword).toHaveLength(32);
    for (const type of [/[a-z]/, /[A-Z]/, /\d/, /[^a-zA-Z\d]/]) expect(RandomPassword).toMatch(type);
  });

  test('are 64 hex digits as the stack asks for them', () => {
    const password = generateSecretString({
      PasswordLength: 64,
      ExcludePunctuation: true,
      ExcludeUppercase: true,
      ExcludeCharacters: 'ghijklmnopqrstuvwxyz',
      RequireEachIncludedType: false,
    });
    expect(password).toMatch(/^[0-9a-f]{64}$/);
  });

  test('go under their key into a template', () => {
    const value = JSON.parse(
      generateSecretString({ SecretStringTemplate: '{"user":"a"}', GenerateStringKey: 'password', PasswordLength: 12 }),
    );
    expect(value).toEqual({ user: 'a', password: expect.stringMatching(/^.{12}$/) });
  });

  test('need room for every required type', async () => {
    await expect(secrets.send(new GetRandomPasswordCommand({ PasswordLength: 3 }))).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
    expect((await secrets.send(new GetRandomPasswordCommand({ PasswordLength: 4 }))).RandomPassword).toHaveLength(4);
  });
});

test('an operation that is not here answers 501', async () => {
  const { RotateSecretCommand } = await import('@aws-sdk/client-secrets-manager');
  const { Name } = await createSecret();
  await expect(secrets.send(new RotateSecretCommand({ SecretId: Name }))).rejects.toMatchObject({ $metadata: { httpStatusCode: 501 } });
});

test.runIf(hasAwsCli)('the AWS CLI makes a secret, reads it and deletes it', async () => {
  await aws(sandbox, 'secretsmanager', 'create-secret', '--name', 'cli', '--secret-string', 'hello');
  expect(await aws(sandbox, 'secretsmanager', 'get-secret-value', '--secret-id', 'cli')).toMatchObject({ SecretString: 'hello' });
  await aws(sandbox, 'secretsmanager', 'delete-secret', '--secret-id', 'cli', '--force-delete-without-recovery');
  await expect(aws(sandbox, 'secretsmanager', 'get-secret-value', '--secret-id', 'cli')).rejects.toThrow('(ResourceNotFoundException)');
});
