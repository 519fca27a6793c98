/**
 * DynamoDB: tables and items by dynalite, in this process.
 *
 * What it does not do (2026-11-21): transactions, PartiQL, streams (a StreamSpecification is kept and shown, nothing is
 * delivered), expiry of items (TTL settings are kept and shown), restores (point-in-time recovery is a setting), global
 * tables, `ReturnValuesOnConditionCheckFailure`, policies of streams, encryption at rest, throughput limits. A resource policy
 * is in force at once, which AWS only says of one that comes with CreateTable.
 */
import { openAccess } from '../iam/access.ts';
import { jsonRefusal } from '../iam/refusal.ts';
import type { State } from '../state.ts';
import { createJsonService, type JsonService } from '../wire/json-service.ts';
import { openEngine } from './engine.ts';
import { type ItemOperation, itemOperations } from './item-operations.ts';
import { type PolicyOperation, policyOperations } from './policy-operations.ts';
import { type SettingOperation, settingOperations } from './setting-operations.ts';
import { createTableAccess } from './table-access.ts';
import { type TableOperation, tableOperations } from './table-operations.ts';
import { openSettingsStore } from './table-settings.ts';

export interface DynamoDb extends JsonService {
  /** Waits for what is running; call it before the state is closed. */
  close(): Promise<void>;
}

export function openDynamoDb(state: State): DynamoDb {
  const settings = openSettingsStore(state);
  const engine = openEngine(state.folder('dynamodb'));
  // Whoever calls first is told; without a call nobody needs to know.
  engine.catch(() => {});
  const access = createTableAccess(engine, settings);
  const service = createJsonService<ItemOperation | TableOperation | SettingOperation | PolicyOperation>({
    targetPrefix: 'DynamoDB_20120810',
    version: '1.0',
    judge: openAccess(state).judge,
    refusal: jsonRefusal,
    operations: {
      ...itemOperations(engine, access),
      ...tableOperations(engine, settings, access),
      ...settingOperations(engine, settings, access),
      ...policyOperations(engine, settings, access),
    },
  });
  return { ...service, close: async () => (await engine).close() };
}
