/** Keys, their states and rotation. */
import {
  CancelKeyDeletionCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  GenerateDataKeyCommand,
  GetKeyRotationStatusCommand,
  ListKeysCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import { has, holds, matches, refused, same } from '../difference.ts';
import { type Expectation, expectation } from '../expectation.ts';
import { encrypt, stateOf } from './calls.ts';

const STATES = ['kms-guide', 'key-state'] as const;
const ROTATION = ['kms-guide', 'rotate-keys'] as const;

export const KEYS: Expectation[] = [
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
];
