import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { openEngine } from '../../../sandbox/dynamodb/engine.ts';

interface Iterator {
  next(): Promise<unknown>;
}

const { Level } = createRequire(import.meta.url)('level') as { Level: { prototype: { values(options: unknown): Iterator } } };

const TableName = 'read';
const ITEMS = 5;

afterEach(() => vi.restoreAllMocks());

/** A table of one partition, and what is opened to read it. */
async function readable() {
  const folder = mkdtempSync(join(tmpdir(), 'sealdrop-engine-'));
  const values = vi.spyOn(Level.prototype, 'values');
  const engine = await openEngine(folder);
  onTestFinished(async () => {
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  });
  await engine.run('CreateTable', {
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
  });
  for (let index = 0; index < ITEMS; index += 1) {
    await engine.run('PutItem', { TableName, Item: { pk: { S: 'p' }, sk: { S: String(index) } } });
  }
  values.mockClear();
  return {
    async query(more: object = {}): Promise<number> {
      const { Count } = await engine.run('Query', {
        TableName,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': { S: 'p' } },
        ...more,
      });
      return Number(Count);
    },
    iterators: () => values.mock.results.map(({ value }) => value as Iterator),
  };
}

test.each([
  ['to its end', {}, ITEMS],
  ['up to a limit', { Limit: 2 }, 2],
])('leaves nothing open of a query that is read %s', async (_how, more, count) => {
  const table = await readable();
  expect(await table.query(more)).toBe(count);
  const [iterator, ...others] = table.iterators();
  expect(others).toEqual([]);
  await vi.waitFor(() => expect(iterator?.next()).rejects.toMatchObject({ code: 'LEVEL_ITERATOR_NOT_OPEN' }));
});
