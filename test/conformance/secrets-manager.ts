/** What is expected of Secrets Manager. */
import { randomBytes, randomUUID } from 'node:crypto';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetRandomPasswordCommand,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  PutResourcePolicyCommand,
  PutSecretValueCommand,
  RestoreSecretCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { has, holds, matches, refused, same } from './difference.ts';
import { type Expectation, expectation } from './expectation.ts';
import type { Stage } from './stage.ts';

const GET = ['secrets-api', 'API_GetSecretValue'] as const;
const PUT = ['secrets-api', 'API_PutSecretValue'] as const;
const STAGES = ['secrets-api', 'API_UpdateSecretVersionStage'] as const;
const DELETE = ['secrets-api', 'API_DeleteSecret'] as const;

export const SECRETS_MANAGER: Expectation[] = [
  expectation('secrets.value', 'a new secret has its value under AWSCURRENT, by name and by ARN', GET, async (stage) => {
    const arn = await stage.newSecret('value');
    const name = arn.split(':')[6]?.slice(0, -7);
    matches('its ARN', arn, /^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:.+-[A-Za-z0-9]{6}$/);
    for (const SecretId of [arn, name]) {
      has('the answer', await stage.secrets.send(new GetSecretValueCommand({ SecretId })), {
        ARN: arn,
        Name: name,
        SecretString: 'value',
        VersionStages: ['AWSCURRENT'],
      });
    }
  }),
  expectation('secrets.binary', 'a binary value comes back as it was', GET, async (stage) => {
    const SecretBinary = randomBytes(32);
    const SecretId = await stage.newSecret();
    await stage.secrets.send(new PutSecretValueCommand({ SecretId, SecretBinary }));
    const answer = await stage.secrets.send(new GetSecretValueCommand({ SecretId }));
    same('they are equal', Buffer.from(answer.SecretBinary ?? []).equals(SecretBinary), true);
    same('SecretString', answer.SecretString, undefined);
  }),
  expectation('secrets.missing', 'a secret that is not there is ResourceNotFoundException', GET, async (stage) => {
    await refused(value(stage, stage.unique('missing')), '400 ResourceNotFoundException');
  }),
  expectation(
    'secrets.name-taken',
    'a name that is taken is ResourceExistsException',
    ['secrets-api', 'API_CreateSecret'],
    async (stage) => {
      const Name = (await stage.newSecret()).split(':')[6]?.slice(0, -7);
      await refused(stage.secrets.send(new CreateSecretCommand({ Name, SecretString: 'x' })), '400 ResourceExistsException');
    },
  ),
  expectation('secrets.version.new', 'a new value takes AWSCURRENT, the one before becomes AWSPREVIOUS', PUT, async (stage) => {
    const SecretId = await stage.newSecret('one');
    await stage.secrets.send(new PutSecretValueCommand({ SecretId, SecretString: 'two' }));
    same('the current', await value(stage, SecretId), 'two');
    same('the previous', await value(stage, SecretId, { VersionStage: 'AWSPREVIOUS' }), 'one');
  }),
  expectation('secrets.version.third', 'a version that was AWSPREVIOUS loses its label, and stays readable by id', PUT, async (stage) => {
    const SecretId = await stage.newSecret('one');
    const { VersionId } = await stage.secrets.send(new GetSecretValueCommand({ SecretId }));
    for (const SecretString of ['two', 'three']) await stage.secrets.send(new PutSecretValueCommand({ SecretId, SecretString }));
    same('by its id', await value(stage, SecretId, { VersionId }), 'one');
    const labels = (await stage.secrets.send(new DescribeSecretCommand({ SecretId }))).VersionIdsToStages ?? {};
    same('its labels', labels[VersionId ?? ''], undefined);
    const all = await stage.secrets.send(new ListSecretVersionIdsCommand({ SecretId, IncludeDeprecated: true }));
    same('the count of versions', all.Versions?.length, 3);
    const labelled = await stage.secrets.send(new ListSecretVersionIdsCommand({ SecretId }));
    same('the count of labelled ones', labelled.Versions?.length, 2);
  }),
  expectation('secrets.version.pending', 'a value put under AWSPENDING leaves the current one', PUT, async (stage) => {
    const SecretId = await stage.newSecret('one');
    await stage.secrets.send(new PutSecretValueCommand({ SecretId, SecretString: 'two', VersionStages: ['AWSPENDING'] }));
    same('the current', await value(stage, SecretId), 'one');
    same('the pending', await value(stage, SecretId, { VersionStage: 'AWSPENDING' }), 'two');
  }),
  expectation(
    'secrets.version.token',
    'a token says the version id; again with the same value it is the same version',
    PUT,
    async (stage) => {
      const SecretId = await stage.newSecret('one');
      const input = { SecretId, SecretString: 'two', ClientRequestToken: randomUUID() };
      for (let turn = 0; turn < 2; turn += 1) {
        same('the version', (await stage.secrets.send(new PutSecretValueCommand(input))).VersionId, input.ClientRequestToken);
      }
      const other = new PutSecretValueCommand({ ...input, SecretString: 'three' });
      await refused(stage.secrets.send(other), '400 ResourceExistsException');
    },
  ),
  expectation('secrets.version.unknown', 'an unknown version or label is ResourceNotFoundException', GET, async (stage) => {
    const SecretId = await stage.newSecret();
    await refused(value(stage, SecretId, { VersionStage: 'NOBODYS' }), '400 ResourceNotFoundException');
    await refused(value(stage, SecretId, { VersionId: randomUUID() }), '400 ResourceNotFoundException');
  }),
  expectation('secrets.version.empty', 'a put without a value is refused', PUT, async (stage) => {
    const SecretId = await stage.newSecret();
    await refused(
      stage.secrets.send(new PutSecretValueCommand({ SecretId })),
      '400 InvalidParameterException',
      '400 InvalidRequestException',
    );
  }),
  expectation('secrets.stage.current-moves', 'moving AWSCURRENT moves AWSPREVIOUS to the one that had it', STAGES, async (stage) => {
    const SecretId = await stage.newSecret('one');
    const { VersionId: RemoveFromVersionId } = await stage.secrets.send(new GetSecretValueCommand({ SecretId }));
    const pending = new PutSecretValueCommand({ SecretId, SecretString: 'two', VersionStages: ['AWSPENDING'] });
    const { VersionId: MoveToVersionId } = await stage.secrets.send(pending);
    const move = { SecretId, VersionStage: 'AWSCURRENT', MoveToVersionId, RemoveFromVersionId };
    await stage.secrets.send(new UpdateSecretVersionStageCommand(move));
    same('the current', await value(stage, SecretId), 'two');
    same('the previous', await value(stage, SecretId, { VersionStage: 'AWSPREVIOUS' }), 'one');
  }),
  expectation(
    'secrets.stage.holder-named',
    'a label that another version has is moved only when that one is named',
    STAGES,
    async (stage) => {
      const SecretId = await stage.newSecret('one');
      const pending = new PutSecretValueCommand({ SecretId, SecretString: 'two', VersionStages: ['AWSPENDING'] });
      const { VersionId: MoveToVersionId } = await stage.secrets.send(pending);
      const move = new UpdateSecretVersionStageCommand({ SecretId, VersionStage: 'AWSCURRENT', MoveToVersionId });
      await refused(stage.secrets.send(move), '400 InvalidParameterException');
      same('the current', await value(stage, SecretId), 'one');
    },
  ),
  expectation('secrets.stage.own', 'a label of one’s own keeps a version that is neither current nor previous', STAGES, async (stage) => {
    const SecretId = await stage.newSecret('one');
    const { VersionId: MoveToVersionId } = await stage.secrets.send(new GetSecretValueCommand({ SecretId }));
    await stage.secrets.send(new UpdateSecretVersionStageCommand({ SecretId, VersionStage: 'key-1', MoveToVersionId }));
    for (const SecretString of ['two', 'three']) await stage.secrets.send(new PutSecretValueCommand({ SecretId, SecretString }));
    same('by its label', await value(stage, SecretId, { VersionStage: 'key-1' }), 'one');
  }),
  expectation('secrets.deleted', 'a secret that awaits deletion is not read, and comes back by RestoreSecret', DELETE, async (stage) => {
    const SecretId = await stage.newSecret('one');
    const { DeletionDate } = await stage.secrets.send(new DeleteSecretCommand({ SecretId, RecoveryWindowInDays: 7 }));
    holds('the date is a week ahead', Math.abs(Number(DeletionDate) - Date.now() - 7 * 86_400_000) < 3_600_000);
    await refused(value(stage, SecretId), '400 InvalidRequestException');
    holds('it is described', (await stage.secrets.send(new DescribeSecretCommand({ SecretId }))).DeletedDate instanceof Date);
    await stage.secrets.send(new RestoreSecretCommand({ SecretId }));
    same('the value', await value(stage, SecretId), 'one');
  }),
  expectation('secrets.deleted-window', 'a window of less than 7 days is refused with InvalidParameterException', DELETE, async (stage) => {
    const SecretId = await stage.newSecret();
    await refused(stage.secrets.send(new DeleteSecretCommand({ SecretId, RecoveryWindowInDays: 6 })), '400 InvalidParameterException');
  }),
  expectation(
    'secrets.policy.denies',
    'what a secret’s policy denies is AccessDeniedException, and the rest stays allowed',
    ['secrets-guide', 'auth-and-access_resource-policies'],
    async (stage) => {
      const SecretId = await stage.newSecret();
      const statement = { Effect: 'Deny', Principal: '*', Action: 'secretsmanager:GetSecretValue', Resource: '*' };
      const ResourcePolicy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
      await stage.secrets.send(new PutResourcePolicyCommand({ SecretId, ResourcePolicy }));
      // AWS's pages of common errors give it now one status, now the other.
      await refused(value(stage, SecretId), '400 AccessDeniedException', '403 AccessDeniedException');
      await stage.secrets.send(new DescribeSecretCommand({ SecretId }));
    },
  ),
  expectation(
    'secrets.random-password',
    'a random password has the length and the characters that are asked',
    ['secrets-api', 'API_GetRandomPassword'],
    async (stage) => {
      const command = new GetRandomPasswordCommand({
        PasswordLength: 64,
        ExcludePunctuation: true,
        ExcludeUppercase: true,
        ExcludeCharacters: 'ghijklmnopqrstuvwxyz',
        RequireEachIncludedType: false,
      });
      matches('it', (await stage.secrets.send(command)).RandomPassword, /^[0-9a-f]{64}$/);
    },
  ),
];

async function value(stage: Stage, SecretId: string, more: object = {}): Promise<string | undefined> {
  return (await stage.secrets.send(new GetSecretValueCommand({ SecretId, ...more }))).SecretString;
}
