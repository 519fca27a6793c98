/** Operations on tables: dynalite's part and the settings kept beside it. */
import { z } from 'zod';
import { AwsError } from '../aws-error.ts';
import { type JsonObject, type JsonOperation, operation } from '../wire/json-service.ts';
import type { Engine } from './engine.ts';
import { checkedPolicy } from './policy-operations.ts';
import type { TableAccess } from './table-access.ts';
import { describe, type SettingsStore, splitSettings } from './table-settings.ts';

export type TableOperation = 'CreateTable' | 'DescribeTable' | 'UpdateTable' | 'DeleteTable';

const input = z.looseObject({ TableName: z.string().min(1).max(1024), ResourcePolicy: z.string().min(1).optional() });

export function tableOperations(
  engine: Promise<Engine>,
  settings: SettingsStore,
  access: TableAccess,
): Record<TableOperation, JsonOperation> {
  async function described(name: string): Promise<JsonObject> {
    const { Table } = await (await engine).run('DescribeTable', { TableName: name });
    return describe({ ...Object(Table) }, settings.get(name));
  }

  return {
    CreateTable: operation(
      'dynamodb:CreateTable',
      input,
      async ({ Tags, ResourcePolicy, ...given }) => {
        const { settings: own, rest } = splitSettings(given);
        const policy = ResourcePolicy === undefined ? {} : { policy: checkedPolicy(ResourcePolicy, null) };
        const { TableDescription } = await (await engine).run('CreateTable', rest).catch(withTableName(given.TableName));
        const table: JsonObject = { ...Object(TableDescription) };
        settings.remove(given.TableName);
        settings.merge(given.TableName, { ...own, ...policy });
        if (Array.isArray(Tags) && Tags.length > 0) await (await engine).run('TagResource', { ResourceArn: table.TableArn, Tags });
        return { TableDescription: describe(table, own) };
      },
      (given) =>
        access
          .askTable(given)
          .flatMap((asked) => (given.ResourcePolicy === undefined ? [asked] : [asked, { ...asked, action: 'dynamodb:PutResourcePolicy' }])),
    ),
    DescribeTable: operation(
      'dynamodb:DescribeTable',
      input,
      async ({ TableName }) => ({ Table: await described(TableName) }),
      access.askTable,
    ),
    UpdateTable: operation(
      'dynamodb:UpdateTable',
      input,
      async (given) => {
        const { settings: own, rest } = splitSettings(given);
        await described(given.TableName);
        // dynalite refuses an update that changes nothing it knows.
        if (Object.keys(rest).length > 1) await (await engine).run('UpdateTable', rest);
        settings.merge(given.TableName, own);
        return { TableDescription: await described(given.TableName) };
      },
      access.askTable,
    ),
    DeleteTable: operation(
      'dynamodb:DeleteTable',
      input,
      async (given) => {
        if (settings.get(given.TableName).DeletionProtectionEnabled) {
          throw new AwsError(
            400,
            'ValidationException',
            'Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.',
          );
        }
        const { TableDescription } = await (await engine).run('DeleteTable', given);
        const table = describe({ ...Object(TableDescription) }, settings.get(given.TableName));
        settings.remove(given.TableName);
        access.forget(given.TableName);
        return { TableDescription: table };
      },
      access.askTable,
    ),
  };
}

/** dynalite leaves this message empty. */
function withTableName(name: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof AwsError) || error.code !== 'ResourceInUseException' || error.message !== '') throw error;
    throw new AwsError(error.status, error.code, `Table already exists: ${name}`);
  };
}
