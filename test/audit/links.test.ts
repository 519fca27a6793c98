import { PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { createLinks, type Link, linkId } from '../../src/audit/links.ts';
import { mockAws, tableError } from '../fixtures/aws.ts';
import { keepTable } from '../fixtures/kept-table.ts';

const TOKEN = 'a-token-that-nobody-guesses';
const CREATED = Date.parse('2026-11-20T09:30:00Z');
const LINK: Link = {
  id: linkId(TOKEN),
  bucket: 'target',
  key: 'film.mp4',
  versionId: 'v-1',
  etag: '"e-1"',
  createdBy: 'user-17',
  createdAt: new Date(CREATED).toISOString(),
  expires: new Date(CREATED + 3600_000).toISOString(),
  uses: 2,
};
const HERE = '192.0.2.20';
const WHOLE = { requestId: 'request-1', ranged: false, sourceIp: HERE };
const RANGE = { requestId: 'request-1', ranged: true, sourceIp: HERE };

async function openTable(link: Partial<Link> = {}) {
  const aws = mockAws();
  const table = keepTable(aws.dynamodb);
  const clock = { now: CREATED };
  const open = () => createLinks(aws.clients.dynamodb, 'audit', () => clock.now);
  const made = { ...LINK, ...link };
  await open().create(made);
  return { ...aws, table, clock, open, made };
}

describe('a link', () => {
  it('is found by its id until it is over', async () => {
    const { open, made, clock } = await openTable();
    expect(await open().find(made.id)).toEqual({ link: made, isOver: false });
    expect(await open().find(linkId('another'))).toBeNull();
    clock.now = Date.parse(made.expires) - 1;
    expect((await open().find(made.id))?.isOver).toBe(false);
    clock.now = Date.parse(made.expires);
    expect((await open().find(made.id))?.isOver).toBe(true);
    expect(await open().use(made, WHOLE)).toBe(false);
  });

  it('is used as often as it says, and no more', async () => {
    const { open, made } = await openTable();
    expect([await open().use(made, WHOLE), await open().use(made, WHOLE), await open().use(made, WHOLE)]).toEqual([true, true, false]);
    expect((await open().find(made.id))?.isOver).toBe(true);
  });

  it.each([1, 2, 5])('of %i uses that ten want at once lets so many in', async (uses) => {
    const { open, made } = await openTable({ uses });
    const links = Array.from({ length: 10 }, () => open());
    const outcomes = await Promise.all(
      links.map((each, index) => each.use(made, { requestId: `request-${index}`, ranged: false, sourceIp: HERE })),
    );
    expect(outcomes.filter(Boolean)).toHaveLength(uses);
  });

  it('counts all ranges of five minutes as one use, also those that come at once', async () => {
    const { open, made, clock, table } = await openTable({ uses: 1 });
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => open().use(made, RANGE)));
    expect(outcomes).toEqual(Array.from({ length: 8 }, () => true));
    expect(table.items().filter((item) => 'use' in item)).toHaveLength(1);
    expect((await open().find(made.id))?.isOver).toBe(false);
    expect(await open().use(made, WHOLE)).toBe(false);
    clock.now += 5 * 60_000 - 1;
    expect(await open().use(made, RANGE)).toBe(true);
    clock.now += 1;
    expect(await open().use(made, RANGE)).toBe(false);
    expect((await open().find(made.id))?.isOver).toBe(true);
  });

  it('counts the ranges of somebody else as another use, and says nothing of either', async () => {
    const { open, made, table } = await openTable({ uses: 2 });
    const there = { ...RANGE, sourceIp: '192.0.2.21' };
    expect([await open().use(made, RANGE), await open().use(made, there), await open().use(made, there)]).toEqual([true, true, true]);
    expect(table.items().filter((item) => 'use' in item)).toHaveLength(2);
    expect(await open().use(made, { ...RANGE, sourceIp: '192.0.2.22' })).toBe(false);
    expect(JSON.stringify(table.items())).not.toContain('192.0.2');
  });

  it('of a thousand uses lets a hundred in that come at once', async () => {
    const { open, made } = await openTable({ uses: 1000 });
    const outcomes = await Promise.all(Array.from({ length: 100 }, (_, at) => open().use(made, { ...WHOLE, requestId: `request-${at}` })));
    expect(outcomes.every(Boolean)).toBe(true);
  });

  it('opens nothing once it is revoked', async () => {
    const { open, made } = await openTable();
    await open().use(made, RANGE);
    await open().revoke(made, 'user-18');
    expect(await open().find(made.id)).toMatchObject({ isOver: true });
    expect([await open().use(made, WHOLE), await open().use(made, RANGE)]).toEqual([false, false]);
  });

  it('is kept without what opens it', async () => {
    const { table } = await openTable();
    expect(JSON.stringify(table.items())).not.toContain(TOKEN);
  });

  it('fails by name where the table does not answer', async () => {
    const { open, made, dynamodb } = await openTable();
    dynamodb.on(QueryCommand).rejects(tableError('InternalServerError'));
    await expect(open().find(made.id)).rejects.toMatchObject({ code: 'audit-unavailable' });
    await expect(open().use(made, WHOLE)).rejects.toMatchObject({ code: 'audit-unavailable' });
    dynamodb.on(PutItemCommand).rejects(tableError('InternalServerError'));
    await expect(open().create({ ...made, id: linkId('b') })).rejects.toMatchObject({ code: 'audit-unavailable' });
  });
});
