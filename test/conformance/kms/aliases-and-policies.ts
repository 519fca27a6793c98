/** Aliases and key policies. */
import {
  CreateAliasCommand,
  DecryptCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GetKeyPolicyCommand,
  ListAliasesCommand,
  PutKeyPolicyCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-kms';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { holds, refused, same } from '../difference.ts';
import { type Expectation, expectation } from '../expectation.ts';
import { alias, encrypt, putPolicy } from './calls.ts';

const ALIAS = ['kms-guide', 'kms-alias'] as const;
const POLICY = ['kms-guide', 'key-policies'] as const;
const Plaintext = Buffer.from('plain');

/** AWS's pages of common errors give it now one status, now the other. */
const DENIED = ['400 AccessDeniedException', '403 AccessDeniedException'] as const;

export const ALIASES_AND_POLICIES: Expectation[] = [
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
      await refused(stage.kms.send(new DecryptCommand({ CiphertextBlob })), ...DENIED);
      await encrypt(stage, KeyId);
    },
  ),
  expectation(
    'kms.policy.via-service',
    'a denial by kms:ViaService meets S3 and leaves the caller alone',
    ['kms-guide', 'conditions-kms'],
    async (stage) => {
      const KeyId = await stage.newKey();
      const at = { Bucket: await stage.bucket(), Key: stage.unique() };
      await stage.s3.send(new PutObjectCommand({ ...at, Body: 'content', ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KeyId }));
      const CiphertextBlob = await encrypt(stage, KeyId);
      const Condition = { StringEquals: { 'kms:ViaService': `s3.${await stage.kms.config.region()}.amazonaws.com` } };
      await putPolicy(stage, KeyId, [{ Effect: 'Deny', Principal: '*', Action: 'kms:Decrypt', Resource: '*', Condition }]);
      await refused(stage.s3.send(new GetObjectCommand(at)), '403 AccessDenied');
      await stage.kms.send(new DecryptCommand({ CiphertextBlob }));
    },
  ),
];
