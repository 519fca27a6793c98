/** What belongs to a table and dynalite does not know: kept beside it, shown in its description. */
import { z } from 'zod';
import { AwsError } from '../aws-error.ts';
import type { State } from '../state.ts';
import type { JsonObject } from '../wire/json-service.ts';

/** Members of CreateTable and UpdateTable that are kept here. */
export const settingMembers = z.object({
  StreamSpecification: z
    .strictObject({
      StreamEnabled: z.boolean(),
      StreamViewType: z.enum(['KEYS_ONLY', 'NEW_IMAGE', 'OLD_IMAGE', 'NEW_AND_OLD_IMAGES']).optional(),
    })
    .optional(),
  SSESpecification: z.strictObject({ Enabled: z.boolean().optional(), SSEType: z.literal('KMS').optional() }).optional(),
  DeletionProtectionEnabled: z.boolean().optional(),
  TableClass: z.enum(['STANDARD', 'STANDARD_INFREQUENT_ACCESS']).optional(),
});

export type SettingMembers = z.output<typeof settingMembers>;

export interface TableSettings extends SettingMembers {
  /** When the stream was last enabled: the label in its ARN. */
  streamLabel?: string;
  timeToLive?: { AttributeName: string; Enabled: boolean };
  pointInTimeRecovery?: { enabledMs: number; days: number } | null;
  /** The resource policy as it was put, and its revision. */
  policy?: { text: string; revision: string } | null;
}

export interface SettingsStore {
  get(table: string): TableSettings;
  /** Only the members given. */
  merge(table: string, change: TableSettings): void;
  remove(table: string): void;
}

export function openSettingsStore({ db }: State): SettingsStore {
  db.exec('CREATE TABLE IF NOT EXISTS dynamodb_settings (table_name TEXT PRIMARY KEY, settings TEXT NOT NULL) STRICT');
  const select = db.prepare('SELECT settings FROM dynamodb_settings WHERE table_name = ?');
  const upsert = db.prepare('INSERT OR REPLACE INTO dynamodb_settings VALUES (?, ?)');
  const remove = db.prepare('DELETE FROM dynamodb_settings WHERE table_name = ?');
  const store: SettingsStore = {
    get(table) {
      const row = select.get(table) as { settings: string } | undefined;
      return row ? JSON.parse(row.settings) : {};
    },
    merge(table, change) {
      upsert.run(table, JSON.stringify({ ...store.get(table), ...change }));
    },
    remove(table) {
      remove.run(table);
    },
  };
  return store;
}

/** Splits input into what is kept here and what dynalite gets. Throws AwsError for a value that DynamoDB would refuse. */
export function splitSettings(input: JsonObject): { settings: TableSettings; rest: JsonObject } {
  const names = Object.keys(settingMembers.shape);
  const own = Object.fromEntries(Object.entries(input).filter(([name]) => names.includes(name)));
  const parsed = settingMembers.safeParse(own);
  if (!parsed.success) {
    throw new AwsError(400, 'ValidationException', `One or more parameter values were invalid: ${parsed.error.issues[0]?.path.join('.')}`);
  }
  const label = parsed.data.StreamSpecification?.StreamEnabled ? { streamLabel: new Date().toISOString().slice(0, -1) } : {};
  return {
    settings: { ...parsed.data, ...label },
    rest: Object.fromEntries(Object.entries(input).filter(([name]) => !names.includes(name))),
  };
}

/** A table description with what is kept here. */
export function describe(table: JsonObject, settings: TableSettings): JsonObject {
  const { StreamSpecification: stream, SSESpecification: sse, TableClass, streamLabel } = settings;
  return {
    ...table,
    DeletionProtectionEnabled: settings.DeletionProtectionEnabled ?? false,
    ...(stream?.StreamEnabled
      ? { StreamSpecification: stream, LatestStreamLabel: streamLabel, LatestStreamArn: `${table.TableArn}/stream/${streamLabel}` }
      : {}),
    ...(sse?.Enabled ? { SSEDescription: { Status: 'ENABLED', SSEType: 'KMS' } } : {}),
    ...(TableClass === undefined ? {} : { TableClassSummary: { TableClass } }),
  };
}
