/** The encrypt function is killed before and after every call of its path, one by one: nothing is lost, nothing is doubled. */
import { ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { afterAll, describe, expect, test } from 'vitest';
import { openKillStage, type Path } from './kill-stage.ts';
import { PART_BYTES } from './plan.ts';
import { openWorld, type World } from './world.ts';

/** Whoever dies is brought back at once; whoever lives must not come a second time. */
const VISIBILITY_SECONDS = 120;

const SMALL = 1_000;
const PARTS = 2 * PART_BYTES - 1;
/** Parts of what passes through the function have 8 MiB. */
const SEALED_PARTS = 9 * 1024 * 1024;
/** More than are copied at once. */
const MANY_PARTS = 18;
const AT_ONCE = 16;

const KEPT: Path[] = [
  { title: 'one call, SSE-S3', folder: 'public/', size: SMALL, states: 1 },
  { title: 'one call, SSE-KMS', folder: '', size: SMALL, states: 1 },
  { title: 'one call, SSE-C', folder: 'cards/', size: SMALL, states: 1, cold: true },
  { title: 'sealed, cse-kms', folder: 'sealed/', size: SMALL, states: 1 },
  { title: 'sealed over an older message, cse-aes', folder: 'wrapped/', size: SMALL, states: 2, cold: true },
  {
    title: 'sealed in parts',
    folder: 'sealed/',
    size: SEALED_PARTS,
    states: 1,
    only: ['CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'].map((operation) => ({ operation, nth: 0 })),
  },
  { title: 'an overwritten object', folder: 'bucket-key/', size: SMALL, states: 2 },
  { title: 'parts', folder: 'bucket-key/', size: PARTS, states: 1 },
  { title: 'parts under SSE-C over an older object', folder: 'cards/', size: PARTS, states: 2, cold: true },
  { title: 'parts, resumed', folder: '', size: PARTS, states: 1, afterParts: 1 },
  {
    title: 'parts, continued when time ends',
    folder: 'public/',
    size: MANY_PARTS * PART_BYTES,
    states: 1,
    stopsAfterMs: 1_500,
    only: [
      { operation: 'SendMessage', nth: 0 },
      { operation: 'UploadPartCopy', nth: AT_ONCE },
    ],
  },
];

const DELETED: Path[] = [
  { title: 'one call, the source deleted', folder: 'public/', size: SMALL, states: 1, cold: true },
  { title: 'an overwritten object, its sources deleted', folder: 'cards/', size: SMALL, states: 2, cold: true },
  { title: 'parts, the source deleted', folder: '', size: PARTS, states: 1, cold: true },
];

await generate('test/chaos/policy.yml', KEPT, 'kept');
await generate('test/chaos/policy-delete.yml', DELETED, 'deleted');

/** The calls are listed while tests are collected: each is then a test of its own. */
async function generate(policy: string, paths: Path[], sources: 'kept' | 'deleted'): Promise<void> {
  const world = await openWorld({ visibilitySeconds: VISIBILITY_SECONDS, policy, partsAboveBytes: PART_BYTES });
  const stage = openKillStage(world);
  const listed: { path: Path; calls: Awaited<ReturnType<typeof stage.callsOf>> }[] = [];
  for (const path of paths) listed.push({ path, calls: await stage.callsOf(path) });

  describe(`sources ${sources}`, () => {
    afterAll(() => world.stop());
    describe.each(listed)('$path.title', ({ path, calls }) => {
      const chosen = calls.filter(({ operation, nth }) => path.only?.some((one) => one.operation === operation && one.nth === nth) ?? true);
      const cases = chosen.flatMap((call) => (['before', 'after'] as const).map((when) => ({ ...call, when })));
      test.each(cases)('killed $when $service $operation $nth', async ({ when, ...call }) => {
        const { fate, evidence, checks, killed } = await stage.walk(path, call, when);
        expect(killed).toBe(true);
        expect(checks.flatMap(({ title, complaints }) => complaints.map((complaint) => ({ title, ...complaint })))).toEqual([]);
        const last = fate.states.at(-1);
        expect(last?.records).toHaveLength(1);
        expect(last?.encrypted).toHaveLength(1);
        expect(fate.newest?.state).toBe(last);
        expect(evidence).toMatchObject({ deadLetters: [], uploads: [], left: 0 });
        expect(evidence.events.filter(({ action }) => action === 'SourceDeleted')).toHaveLength(sources === 'deleted' ? path.states : 0);
        expect(await sourceVersions(world, fate.planned.key)).toBe(sources === 'deleted' ? 0 : path.states);
      });
    });
  });
}

async function sourceVersions({ clients: { s3, ingestBucket } }: World, key: string): Promise<number> {
  const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket: ingestBucket, Prefix: key }));
  return Versions.length;
}
