/** What `source: delete` adds to docs/rights.md, which is about `source: keep`. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { grantsOf, withoutGrant } from './grants.ts';
import { type Probe, verdictOf } from './probe.ts';
import { askAll, PROBES } from './questions.ts';
import { reviewedTable } from './reviewed.ts';
import { nameOf, type Verdicts } from './table.ts';
import { FUNCTIONS, openWorld, type World } from './world.ts';

const ADDED = ['s3:GetBucketVersioning on the ingest bucket', 's3:DeleteObjectVersion on objects of the ingest bucket'];

const reviewed = reviewedTable();
let world: World;
let found: ReadonlyMap<string, Verdicts>;

beforeAll(async () => {
  world = await openWorld('test/rights/source-delete.yml');
  found = await askAll(world);
}, 180_000);
afterAll(() => world.stack.stop());

test('encrypt may delete a version of a source, and see whether there are versions', () => {
  expect(ADDED.map((question) => [question, reviewed.get(question)?.encrypt, found.get(question)?.encrypt])).toEqual(
    ADDED.map((question) => [question, 'no', 'yes']),
  );
});

test('nobody may anything else that the table does not say', () => {
  const wider = PROBES.map(nameOf).flatMap((question) =>
    FUNCTIONS.filter((name) => found.get(question)?.[name] === 'yes' && reviewed.get(question)?.[name] !== 'yes').map(
      (name) => `${name}: ${question}`,
    ),
  );
  expect(wider.sort()).toEqual(ADDED.map((question) => `encrypt: ${question}`).sort());
});

describe('each of the two grants is what its question asks for', () => {
  test.each(['s3:DeleteObjectVersion', 's3:GetBucketVersioning'])('%s', async (action) => {
    const grants = grantsOf(world, 'encrypt').filter((grant) => grant.action === action);
    expect(grants).toHaveLength(1);
    const { Sid = '' } = grants[0] ?? {};
    await withoutGrant(world, 'encrypt', Sid, action, async () => {
      const verdicts = await Promise.all(addedProbes().map(async (probe) => [probe.action, await verdictOf(probe, 'encrypt', world)]));
      expect(verdicts.filter(([, verdict]) => verdict === 'no')).toEqual([[action, 'no']]);
    });
  });
});

function addedProbes(): Probe[] {
  return PROBES.filter((probe) => ADDED.includes(nameOf(probe)));
}
