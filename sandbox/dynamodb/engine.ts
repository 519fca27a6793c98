/** dynalite's checks and actions over its LevelDB store, without its HTTP server. */
import { createRequire } from 'node:module';
import { ACCOUNT_ID, REGION } from '../account.ts';
import { AwsError } from '../aws-error.ts';
import type { JsonObject } from '../wire/json-service.ts';

export type EngineOperation =
  | 'BatchGetItem'
  | 'BatchWriteItem'
  | 'CreateTable'
  | 'DeleteItem'
  | 'DeleteTable'
  | 'DescribeTable'
  | 'GetItem'
  | 'ListTables'
  | 'ListTagsOfResource'
  | 'PutItem'
  | 'Query'
  | 'Scan'
  | 'TagResource'
  | 'UntagResource'
  | 'UpdateItem'
  | 'UpdateTable';

export interface Engine {
  /** Throws AwsError with DynamoDB's codes, and 501 for members that dynalite would ignore. */
  run(operation: EngineOperation, input: JsonObject): Promise<JsonObject>;
  /** Waits for what is running, then closes the store. */
  close(): Promise<void>;
}

/** The parts of dynalite 4 that are used here; it has no types of its own. */
interface TableStore {
  lock(key: string, locked: (release: (done: () => void) => () => void) => void): void;
  get(key: string, callback: (error: Error | null, table?: StoredTable) => void): void;
  put(key: string, table: StoredTable, callback: (error: Error | null) => void): void;
  del(key: string, callback: (error: Error | null) => void): void;
}
interface Store {
  tableDb: TableStore;
  db: Level & { close(callback: (error: Error | null) => void): void };
}
type Read = (options: unknown) => { close(): Promise<void> };
type Level = { keys: Read; values: Read };
interface StoredTable {
  TableStatus: string;
  GlobalSecondaryIndexes?: { IndexStatus: string }[];
}
type Validation = { types: Record<string, unknown>; custom?: unknown };
type Validations = {
  checkTypes(data: JsonObject, types: unknown): JsonObject;
  checkValidations(data: JsonObject, types: unknown, custom: unknown, store: Store): void;
};
type Action = (store: Store, data: JsonObject, callback: (error: unknown, output?: JsonObject) => void) => void;

const load = createRequire(import.meta.url);
/** dynalite answers these before the table is what they made of it. */
const CHANGES_TABLE: EngineOperation[] = ['CreateTable', 'UpdateTable', 'DeleteTable'];
/** LevelDB has no table states between two answers, so they are as short as they can be. */
const NO_DELAY = { createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 };

export async function openEngine(path: string): Promise<Engine> {
  const validations: Validations = load('dynalite/validations/index.js');
  const store = createStore(path);
  const actions = new Map<EngineOperation, { action: Action; validation: Validation }>();
  const running = new Set<Promise<JsonObject>>();

  function partsOf(operation: EngineOperation) {
    const known = actions.get(operation);
    if (known) return known;
    const file = `${operation.charAt(0).toLowerCase()}${operation.slice(1)}.js`;
    const validation: Validation = load(`dynalite/validations/${file}`);
    const action: Action = load(`dynalite/actions/${file}`);
    const parts = { action, validation };
    actions.set(operation, parts);
    return parts;
  }

  function run(operation: EngineOperation, input: JsonObject): Promise<JsonObject> {
    const { action, validation } = partsOf(operation);
    const unknown = Object.keys(input).filter((member) => !(member in validation.types));
    if (unknown.length > 0) throw new AwsError(501, 'NotImplemented', `The sandbox does not implement the member ${unknown.join(', ')}.`);
    const work = new Promise<JsonObject>((resolve, reject) => {
      const data = validations.checkTypes({ ...input }, validation.types);
      validations.checkValidations(data, validation.types, validation.custom, store);
      action(store, data, (error, output) => (error ? reject(error) : resolve(output ?? {})));
    })
      .catch((error: unknown) => {
        throw asAwsError(error);
      })
      .then(async (output) => {
        if (CHANGES_TABLE.includes(operation)) await settled(store, String(input.TableName));
        return output;
      });
    running.add(work);
    const done = () => running.delete(work);
    work.then(done, done);
    return work;
  }

  await settleTables(store, async () => {
    const { TableNames } = await run('ListTables', {});
    return Array.isArray(TableNames) ? TableNames.map(String) : [];
  });
  return {
    run,
    async close() {
      await Promise.allSettled(running);
      await new Promise<void>((resolve, reject) => store.db.close((error) => (error ? reject(error) : resolve())));
    },
  };
}

/** Whether an error says that there is no such table. */
export function isTableMissing(error: unknown): boolean {
  return error instanceof AwsError && (error.code === 'ResourceNotFoundException' || error.code === 'ValidationException');
}

/** dynalite takes account and Region from the environment, once. */
function createStore(path: string): Store {
  const { create }: { create(options: { path: string } & typeof NO_DELAY): Store } = load('dynalite/db/index.js');
  const before = { AWS_ACCOUNT_ID: process.env.AWS_ACCOUNT_ID, AWS_REGION: process.env.AWS_REGION };
  Object.assign(process.env, { AWS_ACCOUNT_ID: ACCOUNT_ID, AWS_REGION: REGION });
  try {
    const store = create({ path, ...NO_DELAY });
    closeWhatIsRead(store.db);
    return store;
  } finally {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

/**
 * dynalite ends what it reads by a `return` that LevelDB's iterators do not have. Each query would leave one open, which holds on to the tables
 * as they were: memory and disk grow with every one.
 */
function closeWhatIsRead(db: Level): void {
  for (const read of ['keys', 'values'] as const) {
    const original = db[read].bind(db);
    db[read] = (options) => {
      const iterator = original(options);
      return Object.assign(iterator, { return: () => iterator.close() });
    };
  }
}

/** A few turns of the event loop, so that whoever was answered can use the table, or its name, at once. */
async function settled({ tableDb }: Store, name: string): Promise<void> {
  for (;;) {
    const table = await readTable(tableDb, name);
    if (!table || table.TableStatus === 'ACTIVE') return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** `null`: no such table. */
function readTable(tableDb: TableStore, name: string): Promise<StoredTable | null> {
  return new Promise((resolve, reject) =>
    tableDb.get(name, (error, found) => (error && error.name !== 'NotFoundError' ? reject(error) : resolve(found ?? null))),
  );
}

/** A table whose creation, change or deletion was cut off by the end of the process would stay half-made for ever. */
async function settleTables({ tableDb }: Store, listTables: () => Promise<string[]>): Promise<void> {
  for (const name of await listTables()) {
    const table = await readTable(tableDb, name);
    if (!table || table.TableStatus === 'ACTIVE') continue;
    const deleting = table.TableStatus === 'DELETING';
    table.TableStatus = 'ACTIVE';
    for (const index of table.GlobalSecondaryIndexes ?? []) index.IndexStatus = 'ACTIVE';
    await new Promise<void>((resolve, reject) => {
      const done = (error: Error | null) => (error ? reject(error) : resolve());
      if (deleting) tableDb.del(name, done);
      else tableDb.put(name, table, done);
    });
  }
}

/** dynalite's errors carry the answer that DynamoDB would give. */
function asAwsError(error: unknown): unknown {
  if (typeof error !== 'object' || error === null || !('statusCode' in error) || !('body' in error)) return error;
  const { __type = '', message, Message, ...rest } = Object(error.body) as Record<string, unknown>;
  const code = String(__type).split('#').at(-1) ?? '';
  const detail = Object.fromEntries(Object.entries(rest).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  return new AwsError(Number(error.statusCode), code, String(message ?? Message ?? ''), detail);
}
