import { PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import { type AuditEvent, happenedWithin, positionFrom } from '../../src/audit/event.ts';
import { createRangeReads } from '../../src/audit/range-reads.ts';
import { mockAws, tableError } from '../fixtures/aws.ts';
import { keepTable } from '../fixtures/kept-table.ts';

const read = (more: Partial<AuditEvent> = {}): AuditEvent => ({
  action: 'ObjectDownloaded',
  outcome: 'success',
  bucket: 'target',
  key: 'film.mp4',
  actor: 'user-17',
  at: '2026-11-20T09:32:10.000Z',
  recordedAt: '2026-11-20T09:32:10.000Z',
  uniqueId: 'request-1',
  correlationId: 'request-1',
  versionId: 'v-1',
  size: 100,
  ...more,
});
const BYTES = { first: 0, last: 9 };

function openTable() {
  const aws = mockAws();
  const table = keepTable(aws.dynamodb);
  const items = (prefix: string) => table.items().filter(({ pk }) => String(pk).startsWith(prefix));
  return { ...aws, reads: () => createRangeReads(aws.clients.dynamodb, 'audit'), items };
}

describe('ranges', () => {
  it('of one caller and version within five minutes are one event, and the rest beside it', async () => {
    const world = openTable();
    const reads = world.reads();
    for (let request = 1; request <= 4; request += 1) {
      await reads.record(
        read({ at: `2026-11-20T09:3${request}:00.000Z`, uniqueId: `request-${request}`, correlationId: `request-${request}` }),
        BYTES,
      );
    }
    expect(world.items('audit#').map(({ event }) => event)).toEqual([
      expect.objectContaining({
        at: '2026-11-20T09:31:00.000Z',
        correlationId: 'request-1',
        bytes: '0-9',
        window: { from: '2026-11-20T09:30:00.000Z', to: '2026-11-20T09:35:00.000Z' },
      }),
    ]);
    expect(world.items('reads#target/film.mp4').map(({ read }) => read)).toEqual([
      { at: '2026-11-20T09:32:00.000Z', correlationId: 'request-2', bytes: '0-9' },
      { at: '2026-11-20T09:33:00.000Z', correlationId: 'request-3', bytes: '0-9' },
      { at: '2026-11-20T09:34:00.000Z', correlationId: 'request-4', bytes: '0-9' },
    ]);
    expect(world.dynamodb.commandCalls(PutItemCommand)).toHaveLength(4);
  });

  it('that several functions serve at once are still one event, and none is forgotten', async () => {
    const world = openTable();
    const functions = [world.reads(), world.reads(), world.reads()];
    for (const [index, reads] of functions.entries()) await reads.record(read({ uniqueId: `request-${index}` }), BYTES);
    expect(world.items('audit#')).toHaveLength(1);
    expect(world.items('reads#')).toHaveLength(2);
    const [{ event } = { event: undefined }] = world.items('audit#');
    expect(await world.reads().count(event as AuditEvent)).toBe(3);
  });

  it.each([
    ['caller', { actor: 'user-18' }],
    ['version', { versionId: 'v-2' }],
    ['five minutes', { at: '2026-11-20T09:35:00.000Z' }],
    ['key', { key: 'other.mp4' }],
  ])('of another %s are another event', async (_what, other) => {
    const world = openTable();
    const reads = world.reads();
    await reads.record(read(), BYTES);
    await reads.record(read({ uniqueId: 'request-2', ...other }), BYTES);
    expect([world.items('audit#').length, world.items('reads#').length]).toEqual([2, 0]);
  });

  it('where the bucket has no versions are told apart by ETag', async () => {
    const world = openTable();
    const reads = world.reads();
    const { versionId: _, ...unversioned } = read();
    await reads.record({ ...unversioned, etag: '"a"' }, BYTES);
    await reads.record({ ...unversioned, etag: '"b"' }, BYTES);
    expect(world.items('audit#')).toHaveLength(2);
  });

  it.each(['the event', 'a later range'])('fail by name where %s cannot be written', async (what) => {
    const world = openTable();
    const reads = world.reads();
    if (what === 'a later range') await reads.record(read(), BYTES);
    world.dynamodb.on(PutItemCommand).rejects(tableError('InternalServerError'));
    await expect(reads.record(read({ uniqueId: 'request-2' }), BYTES)).rejects.toMatchObject({ code: 'audit-unavailable' });
  });

  it('are counted over all pages', async () => {
    const { dynamodb, clients } = mockAws();
    dynamodb
      .on(QueryCommand)
      .resolvesOnce({ Count: 7, LastEvaluatedKey: { pk: { S: 'a' }, sk: { S: 'b' } } })
      .resolvesOnce({ Count: 2 });
    expect(await createRangeReads(clients.dynamodb, 'audit').count(read())).toBe(10);
    expect(dynamodb.commandCalls(QueryCommand)[1]?.args[0].input.ExclusiveStartKey).toEqual({ pk: { S: 'a' }, sk: { S: 'b' } });
    expect(unmarshall(dynamodb.commandCalls(QueryCommand)[0]?.args[0].input.ExpressionAttributeValues ?? {})[':pk']).toBe(
      'reads#target/film.mp4',
    );
  });
});

describe('a history from a moment on', () => {
  it.each([
    ['2026-11-20T09:33:00', '2026-11-20T09:30:00'],
    ['2026-11-20T09:33', '2026-11-20T09:30'],
    ['2026-11-20T09:30:00.000', '2026-11-20T09:30:00.000'],
    ['2026-11-20T09:34:59.999', '2026-11-20T09:30:00.000'],
    ['2026-11-20', '2026-11-20'],
    ['2026-02-31', '2026-02-31'],
  ])('%s looks from %s on', (from, position) => {
    expect(positionFrom(from)).toBe(position);
  });

  it('has events since then, and reads whose five minutes were not over', () => {
    const window = { from: '2026-11-20T09:30:00.000Z', to: '2026-11-20T09:35:00.000Z' };
    const within = (event: AuditEvent, from: string, to = '~') => happenedWithin(event, from, to);
    expect(within(read(), '2026-11-20T09:32')).toBe(true);
    expect(within(read(), '2026-11-20T09:33')).toBe(false);
    expect(within(read({ window }), '2026-11-20T09:33')).toBe(true);
    expect(within(read({ window }), '2026-11-20T09:36')).toBe(false);
    expect(within(read({ window }), '2026-11-20', '2026-11-20T09:31~')).toBe(false);
    expect(within(read({ window }), '2026-11-20', '2026-11-20~')).toBe(true);
  });
});
