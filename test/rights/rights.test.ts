/**
 * What each function may do, asked of the deployed stack with the function's own credentials, against docs/rights.md, which
 * people review. `npm run rights` writes the file anew.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { grantsOf, withoutGrant } from './grants.ts';
import { verdictOf } from './probe.ts';
import { askAll, destructiveLast, NEVER_ALLOWED, PROBES } from './questions.ts';
import { reviewedTable, writeTable } from './reviewed.ts';
import { nameOf, type Row, type Verdicts } from './table.ts';
import { FUNCTIONS, openWorld, type World } from './world.ts';

const expected = reviewedTable();

let world: World;
let found: ReadonlyMap<string, Verdicts>;

beforeAll(async () => {
  world = await openWorld();
  found = await askAll(world);
  if (process.env.WRITE_RIGHTS === '1') {
    const rows = PROBES.flatMap(({ resource, action }): Row[] => {
      const verdicts = found.get(nameOf({ resource, action }));
      return verdicts === undefined ? [] : [{ resource, action, verdicts }];
    });
    writeTable(rows);
  }
}, 180_000);
afterAll(() => world.stack.stop());

test('the reviewed table has a line for every question, and no other', () => {
  expect([...expected.keys()].sort()).toEqual(PROBES.map(nameOf).sort());
});

test('the table has a column for every function of the stack', () => {
  const { services } = world.stack.sandbox;
  expect(services.functions.list().map(({ name }) => name)).toEqual(
    expect.arrayContaining(FUNCTIONS.map((name) => `${world.stack.env.SEALDROP_STACK}-${name}`)),
  );
  expect(services.functions.list()).toHaveLength(FUNCTIONS.length);
});

describe.each(FUNCTIONS)('%s', (name) => {
  test.each(PROBES.map((probe) => [nameOf(probe), expected.get(nameOf(probe))?.[name]] as const))('%s: %s', (question, verdict) => {
    expect(found.get(question)?.[name]).toBe(verdict);
  });
});

describe('every single grant is needed by a question', () => {
  test.each(FUNCTIONS)('%s', async (name) => {
    const asked = PROBES.filter((probe) => !probe.destructive && found.get(nameOf(probe))?.[name] === 'yes');
    const unnoticed: string[] = [];
    for (const { Sid, action } of grantsOf(world, name)) {
      await withoutGrant(world, name, Sid, action, async () => {
        const verdicts = await Promise.all(asked.map((probe) => verdictOf(probe, name, world)));
        if (!verdicts.includes('no')) unnoticed.push(`${Sid}: ${action}`);
      });
    }
    expect(unnoticed).toEqual([]);
  });
});

describe('nobody may, not even the break-glass principal', () => {
  test.each([...NEVER_ALLOWED].map((probe) => [nameOf(probe), probe] as const))('%s', async (_, probe) => {
    expect(await verdictOf(probe, 'administrator', world)).toBe('no');
  });
});

describe('the administrator, who is the break-glass principal, may all the rest', () => {
  // Were a question malformed, everybody would be refused, and the refusals above would say nothing.
  const rest = PROBES.filter((probe) => !NEVER_ALLOWED.has(probe)).sort(destructiveLast);
  test.each(rest.map((probe) => [nameOf(probe), probe] as const))('%s', async (_, probe) => {
    expect(await verdictOf(probe, 'administrator', world)).toBe('yes');
  });
});
