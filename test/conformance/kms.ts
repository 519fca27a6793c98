/** What is expected of KMS. */
import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  DecryptCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  ListAliasesCommand,
  ListKeysCommand,
  PutKeyPolicyCommand,
  ScheduleKeyDeletionCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-kms';
import { has, holds, matches, refused, same } from './difference.ts';
import { type Expectation, expectation } from './expectation.ts';
import type { Stage } from './stage.ts';

const STATES = ['kms-guide', 'key-state'] as const;
const ENCRYPT = ['kms-api', 'API_Encrypt'] as const;
const DECRYPT = ['kms-api', 'API_Decrypt'] as const;
const DATA_KEY = ['kms-api', 'API_GenerateDataKey'] as const;
const ALIAS = ['kms-guide', 'kms-alias'] as const;
const ROTATION = ['kms-guide', 'rotate-keys'] as const;
const POLICY = ['kms-guide', 'key-policies'] as const;
const Plaintext = Buffer.from('plain');

export const KMS: Expectation[] = [
  expectation('kms.key.described', 'a new key is enabled, symmetric, and the customer’s', ['kms-api', 'API_DescribeKey'], async (stage) => {
    const arn = await stage.keyArn();
    const { KeyMetadata = { KeyId: '' } } = await stage.kms.send(new DescribeKeyCommand({ KeyId: arn }));
    matches('its ARN', arn, /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[0-9a-f-]{36}$/);
    has('the key', KeyMetadata, {
      Arn: arn,
      KeyState: 'Enabled',
      Enabled: true,
      KeyManager: 'CUSTOMER',
      KeySpec: 'SYMMETRIC_DEFAULT',
      KeyUsage: 'ENCRYPT_DECRYPT',
      Origin: 'AWS_KMS',
      MultiRegion: false,
    });
  }),
  expectation('kms.key.missing', 'a key that is not there is NotFoundException', ['kms-api', 'API_DescribeKey'], async (stage) => {
    await refused(stage.kms.send(new DescribeKeyCommand({ KeyId: '00000000-0000-4000-8000-000000000000' })), '400 NotFoundException');
  }),
  expectation('kms.key.listed', 'a key is listed with its ARN', ['kms-api', 'API_ListKeys'], async (stage) => {
    const arn = await stage.keyArn();
    const { Keys = [], Truncated } = await stage.kms.send(new ListKeysCommand({ Limit: 1000 }));
    holds('the key is listed, or the list goes on', Truncated === true || Keys.some(({ KeyArn }) => KeyArn === arn));
  }),
  expectation(
    'kms.encrypt.roundtrip',
    'what is encrypted is decrypted without naming the key, and the answer names it',
    DECRYPT,
    async (stage) => {
      const arn = await stage.keyArn();
      const { CiphertextBlob, KeyId } = await stage.kms.send(new EncryptCommand({ KeyId: arn, Plaintext }));
      same('the key of Encrypt', KeyId, arn);
      const answer = await stage.kms.send(new DecryptCommand({ CiphertextBlob }));
      same('the plaintext', Buffer.from(answer.Plaintext ?? []).toString(), 'plain');
      same('the key of Decrypt', answer.KeyId, arn);
    },
  ),
  expectation('kms.encrypt.fresh', 'the same plaintext is encrypted differently each time', ENCRYPT, async (stage) => {
    const [one, two] = [await encrypt(stage, await stage.keyArn()), await encrypt(stage, await stage.keyArn())];
    holds('both ciphertexts differ', !Buffer.from(one).equals(Buffer.from(two)));
  }),
  expectation('kms.encrypt.limit', 'Encrypt takes 4,096 bytes and no more', ENCRYPT, async (stage) => {
    const KeyId = await stage.keyArn();
    await stage.kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.alloc(4096) }));
    await refused(stage.kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.alloc(4097) })), '400 ValidationException');
  }),
  expectation(
    'kms.decrypt.context',
    'another encryption context is InvalidCiphertextException',
    ['kms-guide', 'encrypt_context'],
    async (stage) => {
      const context = { bucket: 'one' };
      const CiphertextBlob = await encrypt(stage, await stage.keyArn(), context);
      await stage.kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: context }));
      for (const EncryptionContext of [{ bucket: 'two' }, {}, { ...context, more: 'x' }]) {
        await refused(stage.kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext })), '400 InvalidCiphertextException');
      }
    },
  ),
  expectation('kms.decrypt.tampered', 'a changed ciphertext is InvalidCiphertextException', DECRYPT, async (stage) => {
    const CiphertextBlob = Buffer.from(await encrypt(stage, await stage.keyArn()));
    CiphertextBlob.writeUInt8(CiphertextBlob.readUInt8(CiphertextBlob.length - 1) ^ 1, CiphertextBlob.length - 1);
    await refused(stage.kms.send(new DecryptCommand({ CiphertextBlob })), '400 InvalidCiphertextException');
  }),
  expectation('kms.decrypt.other-key', 'naming another key is IncorrectKeyException', DECRYPT, async (stage) => {
    const CiphertextBlob = await encrypt(stage, await stage.keyArn());
    const KeyId = await stage.newKey();
    await refused(stage.kms.send(new DecryptCommand({ CiphertextBlob, KeyId })), '400 IncorrectKeyException');
  }),
  expectation('kms.data-key.aes-256', 'a data key has 32 bytes, and its ciphertext decrypts to them', DATA_KEY, async (stage) => {
    const KeyId = await stage.keyArn();
    const key = await stage.kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }));
    same('its length', key.Plaintext?.length, 32);
    const { Plaintext: opened } = await stage.kms.send(new DecryptCommand({ CiphertextBlob: key.CiphertextBlob }));
    same('they are equal', Buffer.from(opened ?? []).equals(Buffer.from(key.Plaintext ?? [])), true);
  }),
  expectation(
    'kms.data-key.without-plaintext',
    'a data key without plaintext is its ciphertext alone',
    ['kms-api', 'API_GenerateDataKeyWithoutPlaintext'],
    async (stage) => {
      const command = new GenerateDataKeyWithoutPlaintextCommand({ KeyId: await stage.keyArn(), NumberOfBytes: 24 });
      const answer = await stage.kms.send(command);
      same('Plaintext', Reflect.get(answer, 'Plaintext'), undefined);
      const opened = await stage.kms.send(new DecryptCommand({ CiphertextBlob: answer.CiphertextBlob }));
      same('its length', opened.Plaintext?.length, 24);
    },
  ),
  expectation('kms.data-key.one-length', 'KeySpec and NumberOfBytes together are ValidationException', DATA_KEY, async (stage) => {
    const command = new GenerateDataKeyCommand({ KeyId: await stage.keyArn(), KeySpec: 'AES_256', NumberOfBytes: 32 });
    await refused(stage.kms.send(command), '400 ValidationException');
  }),
  expectation('kms.state.disabled', 'a disabled key serves nothing: DisabledException', STATES, async (stage) => {
    const KeyId = await stage.newKey();
    const CiphertextBlob = await encrypt(stage, KeyId);
    await stage.kms.send(new DisableKeyCommand({ KeyId }));
    await refused(encrypt(stage, KeyId), '400 DisabledException');
    await refused(stage.kms.send(new DecryptCommand({ CiphertextBlob })), '400 DisabledException');
    await refused(stage.kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' })), '400 DisabledException');
    same('its state', await stateOf(stage, KeyId), 'Disabled');
    await stage.kms.send(new EnableKeyCommand({ KeyId }));
    await stage.kms.send(new DecryptCommand({ CiphertextBlob }));
  }),
  expectation(
    'kms.state.pending-deletion',
    'a key that awaits deletion serves nothing: KMSInvalidStateException',
    STATES,
    async (stage) => {
      const KeyId = await stage.newKey();
      const CiphertextBlob = await encrypt(stage, KeyId);
      const scheduled = await stage.kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
      same('the state in the answer', scheduled.KeyState, 'PendingDeletion');
      await refused(encrypt(stage, KeyId), '400 KMSInvalidStateException');
      await refused(stage.kms.send(new DecryptCommand({ CiphertextBlob })), '400 KMSInvalidStateException');
      same('its state', await stateOf(stage, KeyId), 'PendingDeletion');
    },
  ),
  expectation(
    'kms.state.cancelled',
    'a key whose deletion is cancelled is disabled',
    ['kms-api', 'API_CancelKeyDeletion'],
    async (stage) => {
      const KeyId = await stage.newKey();
      await stage.kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
      await stage.kms.send(new CancelKeyDeletionCommand({ KeyId }));
      same('its state', await stateOf(stage, KeyId), 'Disabled');
    },
  ),
  expectation(
    'kms.state.window',
    'a window of less than 7 days is refused with ValidationException',
    ['kms-api', 'API_ScheduleKeyDeletion'],
    async (stage) => {
      const KeyId = await stage.newKey();
      await refused(stage.kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 6 })), '400 ValidationException');
    },
  ),
  expectation('kms.alias.serves', 'an alias names a key wherever a key is named', ALIAS, async (stage) => {
    const KeyId = await stage.keyArn();
    const AliasName = await alias(stage, KeyId);
    const answer = await stage.kms.send(new EncryptCommand({ KeyId: AliasName, Plaintext }));
    same('the key of Encrypt', answer.KeyId, KeyId);
    const { Aliases = [] } = await stage.kms.send(new ListAliasesCommand({ KeyId }));
    holds(
      'it is listed',
      Aliases.some((listed) => listed.AliasName === AliasName),
    );
  }),
  expectation('kms.alias.moves', 'an alias moves to another key, and away', ALIAS, async (stage) => {
    const AliasName = await alias(stage, await stage.keyArn());
    const TargetKeyId = await stage.newKey();
    await stage.kms.send(new UpdateAliasCommand({ AliasName, TargetKeyId }));
    const { KeyMetadata } = await stage.kms.send(new DescribeKeyCommand({ KeyId: AliasName }));
    same('its key', KeyMetadata?.KeyId, TargetKeyId);
    await stage.kms.send(new DeleteAliasCommand({ AliasName }));
    await refused(stage.kms.send(new DescribeKeyCommand({ KeyId: AliasName })), '400 NotFoundException');
  }),
  expectation('kms.alias.taken', 'a name that is taken is AlreadyExistsException', ['kms-api', 'API_CreateAlias'], async (stage) => {
    const TargetKeyId = await stage.keyArn();
    const AliasName = await alias(stage, TargetKeyId);
    await refused(stage.kms.send(new CreateAliasCommand({ AliasName, TargetKeyId })), '400 AlreadyExistsException');
  }),
  expectation('kms.alias.reserved', 'a name that begins with alias/aws/ is refused', ['kms-api', 'API_CreateAlias'], async (stage) => {
    const command = new CreateAliasCommand({ AliasName: `alias/aws/${stage.unique()}`, TargetKeyId: await stage.keyArn() });
    await refused(stage.kms.send(command), '400 NotAuthorizedException', '400 InvalidAliasNameException', '400 ValidationException');
  }),
  expectation('kms.rotation.switched', 'rotation is off at first, and stays as it was switched', ROTATION, async (stage) => {
    const KeyId = await stage.newKey();
    const status = async () => (await stage.kms.send(new GetKeyRotationStatusCommand({ KeyId }))).KeyRotationEnabled;
    same('at first', await status(), false);
    await stage.kms.send(new EnableKeyRotationCommand({ KeyId }));
    same('switched on', await status(), true);
    await stage.kms.send(new DisableKeyRotationCommand({ KeyId }));
    same('switched off', await status(), false);
  }),
  expectation('kms.rotation.disabled-key', 'rotation of a disabled key is not switched: DisabledException', STATES, async (stage) => {
    const KeyId = await stage.newKey();
    await stage.kms.send(new DisableKeyCommand({ KeyId }));
    await refused(stage.kms.send(new EnableKeyRotationCommand({ KeyId })), '400 DisabledException');
  }),
  expectation(
    'kms.policy.default',
    'a key’s default policy gives the account kms:*',
    ['kms-guide', 'key-policy-default'],
    async (stage) => {
      const { Policy = '' } = await stage.kms.send(new GetKeyPolicyCommand({ KeyId: await stage.newKey(), PolicyName: 'default' }));
      holds('it names kms:*', Policy.includes('kms:*'));
      holds('it names the account', Policy.includes(`arn:aws:iam::${await stage.account()}:root`));
    },
  ),
  expectation('kms.policy.kept', 'a key policy is kept as it was put', ['kms-api', 'API_PutKeyPolicy'], async (stage) => {
    const KeyId = await stage.newKey();
    await putPolicy(stage, KeyId, []);
    const { Policy = '' } = await stage.kms.send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'default' }));
    holds('its Sid is kept', Policy.includes('"ConformanceAccount"'));
  }),
  expectation(
    'kms.policy.malformed',
    'what is no policy is MalformedPolicyDocumentException',
    ['kms-api', 'API_PutKeyPolicy'],
    async (stage) => {
      const command = new PutKeyPolicyCommand({ KeyId: await stage.newKey(), PolicyName: 'default', Policy: '{"Version":' });
      await refused(stage.kms.send(command), '400 MalformedPolicyDocumentException');
    },
  ),
  expectation(
    'kms.policy.denies',
    'what a key policy denies is AccessDeniedException, and the rest stays allowed',
    POLICY,
    async (stage) => {
      const KeyId = await stage.newKey();
      const CiphertextBlob = await encrypt(stage, KeyId);
      await putPolicy(stage, KeyId, [{ Effect: 'Deny', Principal: '*', Action: 'kms:Decrypt', Resource: '*' }]);
      await refused(stage.kms.send(new DecryptCommand({ CiphertextBlob })), '400 AccessDeniedException');
      await encrypt(stage, KeyId);
    },
  ),
];

async function encrypt(stage: Stage, KeyId: string, EncryptionContext: Record<string, string> = {}): Promise<Uint8Array> {
  const { CiphertextBlob } = await stage.kms.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext }));
  return CiphertextBlob ?? new Uint8Array();
}

async function stateOf(stage: Stage, KeyId: string): Promise<string | undefined> {
  return (await stage.kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.KeyState;
}

async function alias(stage: Stage, TargetKeyId: string): Promise<string> {
  const AliasName = `alias/${stage.unique('alias')}`;
  await stage.kms.send(new CreateAliasCommand({ AliasName, TargetKeyId }));
  const gone = (error: unknown) => {
    if (!(error instanceof Error) || error.name !== 'NotFoundException') throw error;
  };
  stage.atEnd(() => stage.kms.send(new DeleteAliasCommand({ AliasName })).catch(gone));
  return AliasName;
}

/** The account keeps every right, so that the key can still be deleted. */
async function putPolicy(stage: Stage, KeyId: string, more: object[]): Promise<void> {
  const account = { AWS: `arn:aws:iam::${await stage.account()}:root` };
  const everything = { Sid: 'ConformanceAccount', Effect: 'Allow', Principal: account, Action: 'kms:*', Resource: '*' };
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [everything, ...more] });
  await stage.kms.send(new PutKeyPolicyCommand({ KeyId, PolicyName: 'default', Policy }));
}
