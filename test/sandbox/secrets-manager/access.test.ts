import {
  CreateSecretCommand,
  DeleteResourcePolicyCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetResourcePolicyCommand,
  GetSecretValueCommand,
  PutResourcePolicyCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  ValidateResourcePolicyCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Kms, openKms } from '../../../sandbox/kms/kms.ts';
import { openSecretsManager } from '../../../sandbox/secrets-manager/secrets-manager.ts';
import { actAs, allow, deny, policy } from '../iam/roles.ts';
import { type SandboxServer, startSandbox } from '../wire/sandbox-server.ts';

const READER = 'arn:aws:iam::000000000000:role/reader';
const denied = { name: 'AccessDeniedException', $metadata: { httpStatusCode: 400 } };

let sandbox: SandboxServer;
let kms: Kms;
let administrator: SecretsManagerClient;
let arn: string;
const clients: SecretsManagerClient[] = [];

beforeAll(async () => {
  sandbox = await startSandbox((state) => {
    kms = openKms(state);
    return { services: { secretsmanager: openSecretsManager(state, kms) } };
  });
  administrator = new SecretsManagerClient(sandbox.client);
  arn = await createSecret('stack/key');
});
afterAll(async () => {
  for (const client of [administrator, ...clients]) client.destroy();
  await sandbox.close();
});

async function createSecret(Name: string, KmsKeyId?: string): Promise<string> {
  const { ARN = '' } = await administrator.send(new CreateSecretCommand({ Name, SecretString: 'value', KmsKeyId }));
  return ARN;
}

function connect(role: string, ...statements: object[]): SecretsManagerClient {
  const { credentials } = actAs(sandbox.state, sandbox.credentials, role, statements);
  const client = new SecretsManagerClient({ ...sandbox.client, credentials });
  clients.push(client);
  return client;
}

const read = (client: SecretsManagerClient, SecretId: string) => client.send(new GetSecretValueCommand({ SecretId }));
const putPolicy = (ResourcePolicy: object, SecretId = arn, BlockPublicPolicy = true) =>
  administrator.send(new PutResourcePolicyCommand({ SecretId, ResourcePolicy: JSON.stringify(ResourcePolicy), BlockPublicPolicy }));

describe('a role', () => {
  test('reads the secret that its policy names, by ARN or name, and does nothing else', async () => {
    const client = connect('reader', allow('secretsmanager:GetSecretValue', arn));
    await read(client, arn);
    await read(client, 'stack/key');
    await expect(client.send(new PutSecretValueCommand({ SecretId: arn, SecretString: 'other' }))).rejects.toMatchObject({
      ...denied,
      message: `User: arn:aws:sts::000000000000:assumed-role/reader/test is not authorized to perform: secretsmanager:PutSecretValue on resource: ${arn} because no identity-based policy allows the secretsmanager:PutSecretValue action`,
    });
    await expect(client.send(new DescribeSecretCommand({ SecretId: arn }))).rejects.toMatchObject(denied);
  });

  test.each([
    [{ Bool: { 'secretsmanager:ForceDeleteWithoutRecovery': 'true' } }, { ForceDeleteWithoutRecovery: true }, {}],
    [{ NumericLessThan: { 'secretsmanager:RecoveryWindowInDays': '30' } }, { RecoveryWindowInDays: 29 }, { RecoveryWindowInDays: 30 }],
  ])('is refused a deletion by what it says of its time: %j', async (Condition, refused, taken) => {
    const secret = await createSecret(`stack/deleted-${Object.keys(Condition)}`);
    await putPolicy(
      policy({ ...allow('secretsmanager:DeleteSecret', '*'), Sid: 'NoHaste', Effect: 'Deny', Principal: '*', Condition }),
      secret,
    );
    const client = connect('remover', allow('secretsmanager:DeleteSecret', secret));
    await expect(client.send(new DeleteSecretCommand({ SecretId: secret, ...refused }))).rejects.toMatchObject(denied);
    await client.send(new DeleteSecretCommand({ SecretId: secret, ...taken }));
  });

  test('does not learn whether a secret exists that it may not read', async () => {
    const client = connect('reader', allow('secretsmanager:GetSecretValue', arn));
    await expect(read(client, 'stack/missing')).rejects.toMatchObject(denied);
    await expect(read(connect('reader', allow('secretsmanager:*')), 'stack/missing')).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  test('reads the current version when a condition says so', async () => {
    const current = allow('secretsmanager:GetSecretValue', '*', { StringEquals: { 'secretsmanager:VersionStage': 'AWSCURRENT' } });
    const client = connect('reader', current);
    await read(client, arn);
    await expect(client.send(new GetSecretValueCommand({ SecretId: arn, VersionStage: 'AWSPREVIOUS' }))).rejects.toMatchObject(denied);
  });

  test('needs the key too, through Secrets Manager, unless it is the AWS managed one', async () => {
    const { KeyMetadata } = await kms.call('CreateKey', {});
    const key = String(Object(KeyMetadata).Arn);
    const own = await createSecret('own-key', key);
    const right = allow('secretsmanager:GetSecretValue');
    await expect(read(connect('reader', right), own)).rejects.toMatchObject({ ...denied, message: 'Access to KMS is not allowed' });
    const viaService = { StringEquals: { 'kms:ViaService': 'secretsmanager.us-east-1.amazonaws.com' } };
    await read(connect('reader', right, allow('kms:Decrypt', key, viaService)), own);
  });
});

describe("a secret's policy", () => {
  test('keeps all but those it names from reading, also the administrator', async () => {
    const client = connect('reader', allow('secretsmanager:GetSecretValue', arn));
    const others = { ...deny('secretsmanager:GetSecretValue', '*', { ArnNotEquals: { 'aws:PrincipalArn': [READER] } }), Principal: '*' };
    await putPolicy(policy(others));
    await read(client, arn);
    await expect(read(administrator, arn)).rejects.toMatchObject({
      ...denied,
      message: `User: arn:aws:iam::000000000000:user/administrator is not authorized to perform: secretsmanager:GetSecretValue on resource: ${arn} with an explicit deny in a resource-based policy`,
    });
    const { ResourcePolicy = '' } = await administrator.send(new GetResourcePolicyCommand({ SecretId: arn }));
    expect(JSON.parse(ResourcePolicy)).toEqual(policy(others));
    await administrator.send(new DeleteResourcePolicyCommand({ SecretId: arn }));
    await read(administrator, arn);
    expect((await administrator.send(new GetResourcePolicyCommand({ SecretId: arn }))).ResourcePolicy).toBeUndefined();
  });

  test('lets a role in that has no right of its own', async () => {
    const SecretId = await createSecret('opened');
    const client = connect('guest');
    await expect(read(client, SecretId)).rejects.toMatchObject(denied);
    const guest = { AWS: 'arn:aws:iam::000000000000:role/guest' };
    await putPolicy(policy({ ...allow('secretsmanager:GetSecretValue'), Principal: guest }), SecretId);
    await read(client, SecretId);
  });

  test('that opens it to the world is refused under BlockPublicPolicy', async () => {
    const SecretId = await createSecret('public');
    const open = policy({ ...allow('secretsmanager:GetSecretValue'), Principal: '*' });
    await expect(putPolicy(open, SecretId)).rejects.toMatchObject({ name: 'PublicPolicyException' });
    const validation = await administrator.send(new ValidateResourcePolicyCommand({ SecretId, ResourcePolicy: JSON.stringify(open) }));
    expect(validation.PolicyValidationPassed).toBe(false);
    await putPolicy(open, SecretId, false);
    await read(connect('guest'), SecretId);
  });

  test('with an operator that is not known is refused by name', async () => {
    const unknown = { ...allow('secretsmanager:*', '*', { StringIs: { 'aws:userid': 'x' } }), Principal: '*' };
    await expect(putPolicy(policy(unknown))).rejects.toMatchObject({
      name: 'MalformedPolicyDocumentException',
      message: 'This resource policy is not valid. The condition operator StringIs is not known.',
    });
  });
});
