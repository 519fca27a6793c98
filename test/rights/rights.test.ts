/**
 * What each function may do, asked of the deployed stack with the function's own credentials, against docs/rights.md, which
 * people review. `npm run rights` writes the file anew.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KEY_PROBES, NEVER_ALLOWED_ON_KEYS } from './key-probes.ts';
import { NEVER_ALLOWED_ON_OBJECTS, OBJECT_PROBES } from './object-probes.ts';
import { type Probe, verdictOf } from './probe.ts';
import { NEVER_ALLOWED_ON_TABLES, QUEUE_AND_TABLE_PROBES } from './queue-and-table-probes.ts';
import { JUDGED_BY_SIMULATOR } from './simulated-probes.ts';
import { nameOf, parseTable, type Row, renderTable, type Verdicts } from './table.ts';
import { FUNCTIONS, type FunctionName, openWorld, type World } from './world.ts';

const FILE = join(import.meta.dirname, '../../docs/rights.md');
const PROBES: Probe[] = [...OBJECT_PROBES, ...KEY_PROBES, ...QUEUE_AND_TABLE_PROBES, ...JUDGED_BY_SIMULATOR];
const NEVER_ALLOWED: ReadonlySet<Probe> = new Set([...NEVER_ALLOWED_ON_OBJECTS, ...NEVER_ALLOWED_ON_KEYS, ...NEVER_ALLOWED_ON_TABLES]);
const MARKER = '<!-- from here on written by `npm run rights` -->\n';

const reviewed = () => readFileSync(FILE, 'utf8');
const expected = new Map(parseTable(reviewed().split(MARKER)[1] ?? '').map((row) => [nameOf(row), row.verdicts]));

let world: World;
const found = new Map<string, Verdicts>();

beforeAll(async () => {
  world = await openWorld();
  // What may change something comes last.
  for (const probe of [...PROBES].sort(destructiveLast)) {
    found.set(nameOf(probe), await verdictsFor(probe));
  }
  if (process.env.WRITE_RIGHTS === '1') {
    const rows = PROBES.flatMap(({ resource, action }): Row[] => {
      const verdicts = found.get(nameOf({ resource, action }));
      return verdicts === undefined ? [] : [{ resource, action, verdicts }];
    });
    writeFileSync(FILE, `${reviewed().split(MARKER)[0]}${MARKER}\n${renderTable(rows)}`);
  }
}, 180_000);
afterAll(() => world.stack.stop());

async function verdictsFor(probe: Probe): Promise<Verdicts> {
  const verdict = (name: FunctionName) => verdictOf(probe, name, world);
  const [encrypt, audit, authorize, download, list, history, health] = await Promise.all(FUNCTIONS.map(verdict));
  if (!(encrypt && audit && authorize && download && list && history && health)) throw new Error('a function was not asked');
  return { encrypt, audit, authorize, download, list, history, health };
}

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
  const grantsOf = (name: FunctionName) => statementsOf(name).flatMap(({ Sid, Action }) => Action.map((action) => ({ Sid, action })));

  test.each(FUNCTIONS)('%s', async (name) => {
    const asked = PROBES.filter((probe) => !probe.destructive && found.get(nameOf(probe))?.[name] === 'yes');
    const unnoticed: string[] = [];
    for (const { Sid, action } of grantsOf(name)) {
      await withoutGrant(name, Sid, action, async () => {
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

interface Grants {
  Sid: string;
  Action: string[];
}

function policiesOf(name: FunctionName): Record<string, { Statement: Grants[] }> {
  const { access, functions } = world.stack.sandbox.services;
  const role = access.findRole(functions.get(`${world.stack.env.SEALDROP_STACK}-${name}`).roleArn);
  return (role?.policies ?? {}) as Record<string, { Statement: Grants[] }>;
}

function statementsOf(name: FunctionName): Grants[] {
  return Object.values(policiesOf(name)).flatMap(({ Statement }) => Statement);
}

/** Takes one action out of one statement of a function's role for as long as `work` takes. */
async function withoutGrant(name: FunctionName, sid: string, action: string, work: () => Promise<void>): Promise<void> {
  const { access, functions } = world.stack.sandbox.services;
  const role = access.findRole(functions.get(`${world.stack.env.SEALDROP_STACK}-${name}`).roleArn);
  if (role === null) throw new Error(`${name} has no role`);
  const left = statementsOf(name)
    .map((statement) => (statement.Sid === sid ? { ...statement, Action: statement.Action.filter((held) => held !== action) } : statement))
    .filter(({ Action }) => Action.length > 0);
  access.deleteRole(role.name);
  access.putRole(role.name, role.trustPolicy, { left: { Version: '2012-10-17', Statement: left } });
  try {
    await work();
  } finally {
    access.deleteRole(role.name);
    access.putRole(role.name, role.trustPolicy, role.policies);
  }
}

function destructiveLast(a: Probe, b: Probe): number {
  return Number(a.destructive) - Number(b.destructive);
}
