import {
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  KMSClient,
  ListKeysCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Kms, openKms } from '../../../sandbox/kms/kms.ts';
import type { KeyCaller } from '../../../sandbox/service.ts';
import { actAs, allow, deny, policy, type Session } from '../iam/roles.ts';
import { type SandboxServer, startSandbox } from '../wire/sandbox-server.ts';

const ACCOUNT = { AWS: '000000000000' };
const ADMINISTRATION = allow(['kms:Put*', 'kms:Describe*', 'kms:Get*', 'kms:Schedule*', 'kms:Disable*', 'kms:CreateAlias']);
const Plaintext = Buffer.from('plain');

let sandbox: SandboxServer;
let service: Kms;
let kms: KMSClient;
const clients: KMSClient[] = [];

beforeAll(async () => {
  sandbox = await startSandbox((state) => {
    service = openKms(state);
    return { services: { kms: service } };
  });
  kms = new KMSClient(sandbox.client);
});
afterAll(async () => {
  for (const client of [kms, ...clients]) client.destroy();
  await sandbox.close();
});

/** A role with these rights. */
function worker(...statements: object[]): { client: KMSClient; session: Session } {
  const session = actAs(sandbox.state, sandbox.credentials, 'worker', statements);
  const client = new KMSClient({ ...sandbox.client, credentials: session.credentials });
  clients.push(client);
  return { client, session };
}

/** A key whose policy says this beside letting the account administer it. */
async function createKey(...statements: object[]): Promise<{ id: string; arn: string }> {
  const Policy = JSON.stringify(policy({ ...ADMINISTRATION, Principal: ACCOUNT }, ...statements));
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Policy }));
  return { id: KeyMetadata?.KeyId ?? '', arn: KeyMetadata?.Arn ?? '' };
}

const delegating = { ...allow('kms:*'), Principal: ACCOUNT };
const denied = (session: Session, action: string, arn: string, why: string) => ({
  name: 'AccessDeniedException',
  $metadata: { httpStatusCode: 400 },
  message: `User: ${session.arn} is not authorized to perform: ${action} on resource: ${arn} ${why}`,
});

describe('a key is used', () => {
  test('by whom its policy and the role allow, and nobody with one of them', async () => {
    const open = await createKey(delegating);
    const closed = await createKey();
    const { client, session } = worker(allow('kms:Encrypt', [open.arn, closed.arn]));
    await client.send(new EncryptCommand({ KeyId: open.id, Plaintext }));
    await expect(client.send(new EncryptCommand({ KeyId: closed.id, Plaintext }))).rejects.toMatchObject(
      denied(session, 'kms:Encrypt', closed.arn, 'because no resource-based policy allows the kms:Encrypt action'),
    );
    await expect(client.send(new GenerateDataKeyCommand({ KeyId: open.id, KeySpec: 'AES_256' }))).rejects.toMatchObject(
      denied(session, 'kms:GenerateDataKey', open.arn, 'because no identity-based policy allows the kms:GenerateDataKey action'),
    );
  });

  test('not even by the administrator when its policy leaves use out', async () => {
    const { id } = await createKey();
    await expect(kms.send(new EncryptCommand({ KeyId: id, Plaintext }))).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await kms.send(new DescribeKeyCommand({ KeyId: id }));
  });

  test('by the key that made a ciphertext, which the request need not name', async () => {
    const [mine, other] = [await createKey(delegating), await createKey(delegating)];
    const { client, session } = worker(allow('kms:Decrypt', mine.arn));
    const [ours, theirs] = await Promise.all([mine, other].map(({ id }) => kms.send(new EncryptCommand({ KeyId: id, Plaintext }))));
    await client.send(new DecryptCommand({ CiphertextBlob: ours?.CiphertextBlob }));
    await expect(client.send(new DecryptCommand({ CiphertextBlob: theirs?.CiphertextBlob }))).rejects.toMatchObject(
      denied(session, 'kms:Decrypt', other.arn, 'because no identity-based policy allows the kms:Decrypt action'),
    );
  });

  test.each([
    ['kms:ReEncryptFrom', false],
    ['kms:ReEncryptTo', false],
    ['kms:ReEncrypt*', true],
  ])('from one to another with both rights: %s alone is enough: %s', async (action, enough) => {
    const [from, to] = [await createKey(delegating), await createKey(delegating)];
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId: from.id, Plaintext }));
    const again = worker(allow(action)).client.send(new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: to.id }));
    if (enough) await again;
    else await expect(again).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });

  test('under the encryption context that the policy names', async () => {
    const { id } = await createKey(delegating);
    const { client } = worker(allow('kms:Encrypt', '*', { StringLike: { 'kms:EncryptionContext:aws:s3:arn': 'arn:aws:s3:::b/*' } }));
    const encrypt = (EncryptionContext?: Record<string, string>) =>
      client.send(new EncryptCommand({ KeyId: id, Plaintext, EncryptionContext }));
    await encrypt({ 'aws:s3:arn': 'arn:aws:s3:::b/k' });
    await expect(encrypt({ 'aws:s3:arn': 'arn:aws:s3:::c/k' })).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await expect(encrypt()).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });

  test('by an alias that a condition names', async () => {
    const [named, other] = [await createKey(delegating), await createKey(delegating)];
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/named', TargetKeyId: named.id }));
    const { client } = worker(allow('kms:DescribeKey', '*', { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/named' } }));
    await client.send(new DescribeKeyCommand({ KeyId: named.id }));
    await client.send(new DescribeKeyCommand({ KeyId: 'alias/named' }));
    await expect(client.send(new DescribeKeyCommand({ KeyId: other.id }))).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });
});

test('an alias that a condition asks for is that of the request, also where a ciphertext names the key', async () => {
  const { id } = await createKey(delegating);
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/asked', TargetKeyId: id }));
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId: id, Plaintext }));
  const condition = { StringEquals: { 'kms:RequestAlias': 'alias/asked' } };
  const { client } = worker(allow(['kms:Decrypt', 'kms:ReEncryptFrom'], '*', condition), allow('kms:ReEncryptTo'));
  const decrypt = (KeyId?: string) => client.send(new DecryptCommand({ CiphertextBlob, KeyId }));
  const again = (SourceKeyId?: string) => client.send(new ReEncryptCommand({ CiphertextBlob, SourceKeyId, DestinationKeyId: id }));
  for (const use of [decrypt, again]) {
    await use('alias/asked');
    await expect(use(id)).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await expect(use()).rejects.toMatchObject({ name: 'AccessDeniedException' });
  }
});

describe('a service that acts for a role', () => {
  const caller = (session: Session): KeyCaller => {
    const credential = sandbox.credentials.find(session.credentials.accessKeyId);
    if (credential === null) throw new Error('no such credential');
    return { principal: credential.principal, viaService: 's3' };
  };
  const viaS3 = { StringEquals: { 'kms:ViaService': 's3.us-east-1.amazonaws.com', 'kms:CallerAccount': '000000000000' } };

  test('uses a key that the role may not use itself', async () => {
    const { id, arn } = await createKey({ ...delegating, Condition: viaS3 });
    const { client, session } = worker(allow(['kms:GenerateDataKey', 'kms:Decrypt'], arn, viaS3));
    const { ciphertextBlob } = service.generateDataKey(arn, {}, caller(session));
    service.decrypt(ciphertextBlob, {}, caller(session));
    service.requireAllowed('kms:Decrypt', arn, {}, caller(session));
    await expect(client.send(new GenerateDataKeyCommand({ KeyId: id, KeySpec: 'AES_256' }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    });
  });

  test('is refused what the role may not', async () => {
    const { arn } = await createKey(delegating);
    const { session } = worker(allow('kms:GenerateDataKey', arn));
    const { ciphertextBlob } = service.generateDataKey(arn, {}, caller(session));
    const why = 'because no identity-based policy allows the kms:Decrypt action';
    const { message } = denied(session, 'kms:Decrypt', arn, why);
    expect(() => service.decrypt(ciphertextBlob, {}, caller(session))).toThrow(message);
    expect(() => service.requireAllowed('kms:Decrypt', arn, {}, caller(session))).toThrow(message);
  });

  test('is told of a refusal before it is told of a disabled key', async () => {
    const { id, arn } = await createKey(delegating);
    const { session } = worker();
    await kms.send(new DisableKeyCommand({ KeyId: id }));
    expect(() => service.generateDataKey(arn, {}, caller(session))).toThrow('is not authorized');
  });

  test('uses an AWS managed key without a right of the role, and only through its own service', () => {
    const { session } = worker();
    service.generateDataKey('alias/aws/s3', {}, caller(session));
    expect(() => service.generateDataKey('alias/aws/secretsmanager', {}, caller(session))).toThrow(
      'because no resource-based policy allows the kms:GenerateDataKey action',
    );
  });
});

describe("a key's policy", () => {
  test('guards its deletion by the days until it', async () => {
    const guard = deny('kms:ScheduleKeyDeletion', '*', { NumericLessThan: { 'kms:ScheduleKeyDeletionPendingWindowInDays': '30' } });
    const { id } = await createKey({ ...guard, Principal: '*' });
    const schedule = (PendingWindowInDays?: number) => kms.send(new ScheduleKeyDeletionCommand({ KeyId: id, PendingWindowInDays }));
    await expect(schedule(29)).rejects.toThrow('with an explicit deny in a resource-based policy');
    await schedule();
  });

  test('cannot lock its author out, unless told to', async () => {
    const { id } = await createKey();
    const Policy = JSON.stringify(policy({ ...allow('kms:Describe*'), Principal: ACCOUNT }));
    const put = { KeyId: id, Policy };
    const locked = {
      name: 'MalformedPolicyDocumentException',
      message: 'The new key policy will not allow you to update the key policy in the future.',
    };
    await expect(kms.send(new PutKeyPolicyCommand(put))).rejects.toMatchObject(locked);
    await expect(kms.send(new CreateKeyCommand({ Policy }))).rejects.toMatchObject(locked);
    await kms.send(new PutKeyPolicyCommand({ ...put, BypassPolicyLockoutSafetyCheck: true }));
    await expect(kms.send(new PutKeyPolicyCommand(put))).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });

  test('names no role that is not there', async () => {
    const { id } = await createKey();
    const { session } = worker();
    const naming = (AWS: string) => JSON.stringify(policy({ ...delegating }, { ...allow('kms:Encrypt'), Principal: { AWS } }));
    const invalid = {
      name: 'MalformedPolicyDocumentException',
      message: 'Policy contains a statement with one or more invalid principals.',
    };
    for (const nobody of ['arn:aws:iam::000000000000:role/nobody', 'arn:aws:iam::000000000000:user/nobody']) {
      const Policy = naming(nobody);
      await expect(kms.send(new PutKeyPolicyCommand({ KeyId: id, Policy }))).rejects.toMatchObject(invalid);
      await expect(kms.send(new CreateKeyCommand({ Policy, BypassPolicyLockoutSafetyCheck: true }))).rejects.toMatchObject(invalid);
    }
    for (const somebody of [session.roleArn, 'arn:aws:iam::000000000000:user/administrator', 'arn:aws:iam::111122223333:role/elsewhere']) {
      await kms.send(new PutKeyPolicyCommand({ KeyId: id, Policy: naming(somebody) }));
    }
  });

  test('with a condition key that is not known is refused by name', async () => {
    const { id } = await createKey();
    const Policy = JSON.stringify(policy({ ...delegating, Condition: { Null: { 'kms:Nothing': 'true' } } }));
    await expect(kms.send(new PutKeyPolicyCommand({ KeyId: id, Policy }))).rejects.toMatchObject({
      name: 'MalformedPolicyDocumentException',
      message: 'The new key policy is not valid. The condition key kms:Nothing is not known.',
    });
  });

  test('is not asked for what concerns no key', async () => {
    await worker(allow('kms:ListKeys')).client.send(new ListKeysCommand({}));
    await expect(worker(allow('kms:ListKeys', 'arn:aws:kms:*:*:key/*')).client.send(new ListKeysCommand({}))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    });
  });
});

test('a role that is gone may do nothing, whatever a key says', async () => {
  const { client, session } = worker();
  const { id } = await createKey({ ...allow('kms:*'), Principal: '*' });
  await client.send(new EncryptCommand({ KeyId: id, Plaintext }));
  const { openAccess } = await import('../../../sandbox/iam/access.ts');
  openAccess(sandbox.state).deleteRole(session.roleArn.slice(session.roleArn.indexOf('/') + 1));
  await expect(client.send(new EncryptCommand({ KeyId: id, Plaintext }))).rejects.toMatchObject({ name: 'AccessDeniedException' });
});
