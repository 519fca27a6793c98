/** Time to live and backups: kept and shown, without effect. */
import { z } from 'zod';
import { AwsError } from '../aws-error.ts';
import { type JsonOperation, operation } from '../wire/json-service.ts';
import type { Engine } from './engine.ts';
import type { TableAccess } from './table-access.ts';
import type { SettingsStore, TableSettings } from './table-settings.ts';

export type SettingOperation = 'DescribeTimeToLive' | 'UpdateTimeToLive' | 'DescribeContinuousBackups' | 'UpdateContinuousBackups';

const DAY_MS = 24 * 60 * 60 * 1000;
/** @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html */
const RECOVERY_DAYS = 35;
const TableName = z.string().min(1).max(1024);

export function settingOperations(
  engine: Promise<Engine>,
  settings: SettingsStore,
  { askTable }: TableAccess,
): Record<SettingOperation, JsonOperation> {
  /** Throws `ResourceNotFoundException`. */
  async function settingsOf(name: string): Promise<TableSettings> {
    await (await engine).run('DescribeTable', { TableName: name });
    return settings.get(name);
  }

  return {
    UpdateTimeToLive: operation(
      'dynamodb:UpdateTimeToLive',
      z.strictObject({
        TableName,
        TimeToLiveSpecification: z.strictObject({ AttributeName: z.string().min(1).max(255), Enabled: z.boolean() }),
      }),
      async (input) => {
        const wanted = input.TimeToLiveSpecification;
        const { timeToLive } = await settingsOf(input.TableName);
        if ((timeToLive?.Enabled ?? false) === wanted.Enabled) {
          throw new AwsError(400, 'ValidationException', `TimeToLive is already ${wanted.Enabled ? 'enabled' : 'disabled'}`);
        }
        settings.merge(input.TableName, { timeToLive: wanted });
        return { TimeToLiveSpecification: wanted };
      },
      askTable,
    ),
    DescribeTimeToLive: operation(
      'dynamodb:DescribeTimeToLive',
      z.strictObject({ TableName }),
      async (input) => {
        const { timeToLive } = await settingsOf(input.TableName);
        if (!timeToLive?.Enabled) return { TimeToLiveDescription: { TimeToLiveStatus: 'DISABLED' } };
        return { TimeToLiveDescription: { TimeToLiveStatus: 'ENABLED', AttributeName: timeToLive.AttributeName } };
      },
      askTable,
    ),
    UpdateContinuousBackups: operation(
      'dynamodb:UpdateContinuousBackups',
      z.strictObject({
        TableName,
        PointInTimeRecoverySpecification: z.strictObject({
          PointInTimeRecoveryEnabled: z.boolean(),
          RecoveryPeriodInDays: z.int().min(1).max(RECOVERY_DAYS).default(RECOVERY_DAYS),
        }),
      }),
      async (input) => {
        const { PointInTimeRecoveryEnabled, RecoveryPeriodInDays: days } = input.PointInTimeRecoverySpecification;
        const { pointInTimeRecovery: before } = await settingsOf(input.TableName);
        const enabledMs = before?.enabledMs ?? Date.now();
        settings.merge(input.TableName, { pointInTimeRecovery: PointInTimeRecoveryEnabled ? { enabledMs, days } : null });
        return { ContinuousBackupsDescription: backupsOf(settings.get(input.TableName)) };
      },
      askTable,
    ),
    DescribeContinuousBackups: operation(
      'dynamodb:DescribeContinuousBackups',
      z.strictObject({ TableName }),
      async (input) => ({
        ContinuousBackupsDescription: backupsOf(await settingsOf(input.TableName)),
      }),
      askTable,
    ),
  };
}

function backupsOf({ pointInTimeRecovery }: TableSettings) {
  const status = { ContinuousBackupsStatus: 'ENABLED' };
  if (!pointInTimeRecovery) return { ...status, PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: 'DISABLED' } };
  const { enabledMs, days } = pointInTimeRecovery;
  const earliestMs = Math.max(enabledMs, Date.now() - days * DAY_MS);
  return {
    ...status,
    PointInTimeRecoveryDescription: {
      PointInTimeRecoveryStatus: 'ENABLED',
      RecoveryPeriodInDays: days,
      EarliestRestorableDateTime: earliestMs / 1000,
      LatestRestorableDateTime: Date.now() / 1000,
    },
  };
}
