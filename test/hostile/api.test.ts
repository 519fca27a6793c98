/** Whatever the gateway hands on: the functions that serve answer it, and serve nothing to whom they should not. */
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createHandler as createDownload } from '../../handlers/download.ts';
import { createHandler as createHistory } from '../../handlers/history.ts';
import { createHandler as createList } from '../../handlers/list.ts';
import { apiEvent, invoke, invokeStreaming, READER } from '../fixtures/api.ts';
import { event } from '../fixtures/events.ts';
import { BYTES, type OpenWorld, openWorld } from '../fixtures/open-world.ts';
import { hostileJson, hostileText } from './arbitraries.ts';
import { mutated } from './mutations.ts';

const EVENTS = ['download-path', 'download-query', 'download-head', 'list', 'history'].map(event);

/** Rights to `reports/` and `hr/` come of this group alone. */
const claims = fc.oneof(
  { weight: 3, arbitrary: fc.constant(READER) },
  { weight: 1, arbitrary: mutated(READER) },
  { weight: 1, arbitrary: hostileJson },
);
const query = (...names: string[]) =>
  fc.dictionary(
    fc.oneof(fc.constantFrom(...names), hostileText),
    fc.array(fc.oneof(hostileText, fc.constantFrom('1', 'reports/a', '2026-11-20')), { maxLength: 2 }),
    {
      maxKeys: 3,
    },
  );
const calls = fc
  .record({
    method: fc.constantFrom('GET', 'HEAD', 'POST', ''),
    path: fc.option(
      fc.record({
        key: fc.oneof(
          hostileText,
          hostileText.map((text) => `reports%2F${text}`),
        ),
      }),
    ),
    query: fc.option(query('key', 'prefix', 'delimiter', 'limit', 'cursor', 'from', 'to')),
    claims,
  })
  .map(({ claims: said, ...call }) => apiEvent({ ...call, claims: said as Record<string, unknown> }));

const events = fc.oneof(fc.constantFrom(...EVENTS).chain(mutated), calls, calls.chain(mutated), hostileJson);

/** 500 is nobody's answer: whatever is not understood has a name. */
const STATUSES = [200, 400, 401, 403, 404];

function expectProblem(status: number | undefined, body: string) {
  expect(STATUSES).toContain(status);
  if (status !== 200) expect(JSON.parse(body)).toMatchObject({ status, code: expect.stringMatching(/^[a-z-]+$/) });
}

/** Whose bytes they may be is said by the claims that the gateway handed on. */
function mayRead(asked: unknown): boolean {
  const { authorizer } = (asked as { requestContext: { authorizer: { claims: string } } }).requestContext;
  const { sub, groups, exp } = JSON.parse(authorizer.claims) as Record<string, unknown>;
  const inGroup = Array.isArray(groups) ? groups.includes('sealdrop-readers') : groups === 'sealdrop-readers';
  return inGroup && typeof sub === 'string' && sub !== '' && typeof exp === 'number';
}

it('download answers any event with a status, and bytes go to readers alone', async () => {
  const seen = new Set<number | undefined>();
  await fc.assert(
    fc.asyncProperty(events, async (asked) => {
      const world: OpenWorld = openWorld();
      const { statusCode, body } = await invokeStreaming(
        createDownload(() => world.deps),
        asked,
      );
      seen.add(statusCode);
      expectProblem(statusCode, body.toString());
      if (body.includes(BYTES)) expect(mayRead(asked)).toBe(true);
    }),
    { numRuns: 300 },
  );
  expect([...seen]).toEqual(expect.arrayContaining([200, 400, 401, 403]));
});

it.each(['list', 'history'] as const)('%s answers any event with a status', async (name) => {
  const seen = new Set<number>();
  await fc.assert(
    fc.asyncProperty(events, async (asked) => {
      const world: OpenWorld = openWorld({ recorded: 'no record' });
      world.s3.on(ListObjectsV2Command).resolves({ Contents: [] });
      const handler = name === 'list' ? createList(() => world.deps) : createHistory(() => world.deps);
      const { status, body } = await invoke(handler, asked);
      seen.add(status);
      expectProblem(status, JSON.stringify(body));
    }),
    { numRuns: 300 },
  );
  expect([...seen]).toEqual(expect.arrayContaining([200, 400, 401, 403]));
});
