/**
 * What callers must be allowed, with the partition keys that they name.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
 */
import { ACCOUNT_ID, PARTITION, REGION } from '../account.ts';
import { type PolicyDocument, parsePolicy } from '../iam/policy.ts';
import type { Asked, JsonObject } from '../wire/json-service.ts';
import { type Engine, isTableMissing } from './engine.ts';
import type { SettingsStore } from './table-settings.ts';

export interface TableAccess {
  /** A request on a table, or on an index of it. */
  askTable(input: JsonObject): Asked[];
  /** The same, for a request that names one item by its key. */
  askItem(input: JsonObject): Promise<Asked[]>;
  /** The same, for a request that brings an item: no other member says which one it is. */
  askPut(input: JsonObject): Promise<Asked[]>;
  /** The same, for a query. */
  askQuery(input: JsonObject): Promise<Asked[]>;
  /** A batch on several tables. */
  askBatch(input: JsonObject): Promise<Asked[]>;
  /** Tables are made anew with other keys. */
  forget(table: string): void;
}

/** The partition key's name, of the table (under the empty name) and of each index. */
type PartitionKeys = ReadonlyMap<string, string>;

/** Either side may be the name; parentheses are taken out before. */
const EQUALITY = /(#?[\w.-]+)\s*=\s*(:[\w.-]+)|(:[\w.-]+)\s*=\s*(#?[\w.-]+)/g;

export function createTableAccess(engine: Promise<Engine>, settings: SettingsStore): TableAccess {
  const known = new Map<string, PartitionKeys>();
  const compiled = new Map<string, { text: string; policy: PolicyDocument }>();

  function policyOf(table: string): PolicyDocument | null {
    const text = settings.get(table).policy?.text;
    if (text === undefined) return null;
    const found = compiled.get(table);
    if (found?.text === text) return found.policy;
    const policy = parsePolicy(text, 'resource');
    compiled.set(table, { text, policy });
    return policy;
  }

  function asked(table: string, resource: string, keys: readonly string[] = []): Asked {
    const context = keys.length === 0 ? {} : { 'dynamodb:LeadingKeys': [...new Set(keys)] };
    return { resource, context, resourcePolicy: policyOf(table) };
  }

  /** `null`: there is no such table; what comes then says so. */
  async function partitionKeys(table: string): Promise<PartitionKeys | null> {
    const found = known.get(table);
    if (found !== undefined) return found;
    try {
      const { Table } = await (await engine).run('DescribeTable', { TableName: table });
      const keys = readPartitionKeys(objectOf(Table));
      known.set(table, keys);
      return keys;
    } catch (error) {
      if (isTableMissing(error)) return null;
      throw error;
    }
  }

  async function askOne(input: JsonObject, item: unknown): Promise<Asked[]> {
    const hash = (await partitionKeys(nameOf(input)))?.get('');
    return [asked(nameOf(input), resourceOf(input), leadingKeys(hash, [item]))];
  }

  return {
    askTable: (input) => [asked(nameOf(input), resourceOf(input))],
    askItem: (input) => askOne(input, input.Key),
    askPut: (input) => askOne(input, input.Item),
    async askQuery(input) {
      const hash = (await partitionKeys(nameOf(input)))?.get(String(input.IndexName ?? ''));
      return [asked(nameOf(input), resourceOf(input), hash === undefined ? [] : queriedKeys(hash, input))];
    },
    async askBatch({ RequestItems }) {
      return Promise.all(
        Object.entries(objectOf(RequestItems)).map(async ([table, requests]) => {
          const name = tableName(table);
          const hash = (await partitionKeys(name))?.get('');
          return asked(name, tableArn(name), leadingKeys(hash, itemsOf(requests)));
        }),
      );
    },
    forget: (table) => void known.delete(table),
  };
}

function readPartitionKeys(table: JsonObject): PartitionKeys {
  const indexes = [...listOf(table.GlobalSecondaryIndexes), ...listOf(table.LocalSecondaryIndexes)].map(objectOf);
  return new Map([table, ...indexes].map((keyed) => [String(keyed.IndexName ?? ''), hashOf(keyed)]));
}

function hashOf({ KeySchema }: JsonObject): string {
  const hash = listOf(KeySchema)
    .map(objectOf)
    .find(({ KeyType }) => KeyType === 'HASH');
  return String(hash?.AttributeName ?? '');
}

function leadingKeys(hash: string | undefined, items: readonly unknown[]): string[] {
  if (hash === undefined) return [];
  return items.flatMap((item) => textOf(objectOf(item)[hash]));
}

/** Keys and items of one table in BatchGetItem or BatchWriteItem. */
function itemsOf(requests: unknown): unknown[] {
  if (!Array.isArray(requests)) return listOf(objectOf(requests).Keys);
  return requests.map(objectOf).flatMap(({ PutRequest, DeleteRequest }) => [objectOf(PutRequest).Item, objectOf(DeleteRequest).Key]);
}

/** The value that a key condition compares the partition key with. */
function queriedKeys(hash: string, input: JsonObject): string[] {
  const names = objectOf(input.ExpressionAttributeNames);
  const values = objectOf(input.ExpressionAttributeValues);
  const expression = String(input.KeyConditionExpression ?? '').replace(/[()]/g, ' ');
  const expressed = Array.from(expression.matchAll(EQUALITY)).flatMap(([, left, right, first = right, last = left]) =>
    (last?.startsWith('#') ? names[last] : last) === hash ? textOf(values[first ?? '']) : [],
  );
  const legacy = objectOf(objectOf(input.KeyConditions)[hash]);
  return [...expressed, ...listOf(legacy.AttributeValueList).flatMap(textOf)];
}

/** The text of a string, number or binary value. */
function textOf(value: unknown): string[] {
  const { S, N, B } = objectOf(value);
  const text = S ?? N ?? B;
  return typeof text === 'string' ? [text] : [];
}

function resourceOf(input: JsonObject): string {
  const table = tableArn(nameOf(input));
  return input.IndexName === undefined ? table : `${table}/index/${String(input.IndexName)}`;
}

function nameOf({ TableName, ResourceArn }: JsonObject): string {
  return tableName(String(TableName ?? ResourceArn ?? ''));
}

/** Requests name a table by its name or its ARN. */
function tableName(nameOrArn: string): string {
  return nameOrArn.startsWith('arn:') ? nameOrArn.slice(nameOrArn.indexOf('/') + 1) : nameOrArn;
}

function tableArn(name: string): string {
  return `arn:${PARTITION}:dynamodb:${REGION}:${ACCOUNT_ID}:table/${name}`;
}

function objectOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
