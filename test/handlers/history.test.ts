import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import { handler as health } from '../../handlers/health.ts';
import { createHandler } from '../../handlers/history.ts';
import { apiEvent, invoke } from '../fixtures/api.ts';
import { tableError } from '../fixtures/aws.ts';
import { auditEvents } from '../fixtures/encrypt-world.ts';
import { event } from '../fixtures/events.ts';
import { TARGET_BUCKET } from '../fixtures/objects.ts';
import { openWorld } from '../fixtures/open-world.ts';

const KEY = { key: ['reports/1'] };
const POSITION = '2026-11-20T09:30:15.123Z#ObjectEncrypted#01';
const EVENT = { action: 'ObjectEncrypted', at: '2026-11-20T09:30:15.123Z' };
const cursorOf = (position: string) => [Buffer.from(position).toString('base64url')];

function world() {
  const opened = openWorld();
  opened.dynamodb.on(QueryCommand).resolves({ Items: [marshall({ event: EVENT })] });
  const ask = (query: Record<string, string[]> | null) =>
    invoke(
      createHandler(() => opened.deps),
      apiEvent({ query }),
    );
  const asked = () => opened.dynamodb.commandCalls(QueryCommand).map((call) => call.args[0].input);
  return { ...opened, ask, asked };
}

describe('GET /audit', () => {
  it('gives the events of a key', async () => {
    const { ask, asked } = world();
    expect(await ask(KEY)).toEqual({ status: 200, body: { events: [EVENT], cursor: null } });
    expect(asked()).toEqual([expect.objectContaining({ Limit: 100 })]);
    expect(asked()[0]?.ExpressionAttributeValues?.[':pk']).toEqual({ S: `audit#${TARGET_BUCKET}/reports/1` });
  });

  it('tells who, what and when, but not what AWS said nor where objects lie', async () => {
    const { ask, dynamodb } = world();
    const told = { ...EVENT, action: 'EncryptionFailed', key: 'reports/1', actor: 'function/encrypt', code: 'kms-key-disabled' };
    const kept = { bucket: TARGET_BUCKET, detail: 'arn:aws:kms:us-east-1:000000000000:key/1 is disabled' };
    dynamodb.on(QueryCommand).resolves({ Items: [marshall({ event: { ...told, ...kept } })] });
    expect((await ask(KEY)).body).toEqual({ events: [told], cursor: null });
  });

  it('understands the sample event', async () => {
    const { deps, asked } = world();
    await invoke(
      createHandler(() => deps),
      event('history'),
    );
    expect(asked()[0]?.ExpressionAttributeValues).toMatchObject({ ':from': { S: '2026-11-01' }, ':to': { S: '2026-11-20T09:30:00~' } });
  });

  it('goes on where its cursor says', async () => {
    const { ask, asked, dynamodb } = world();
    dynamodb.on(QueryCommand).resolves({ LastEvaluatedKey: marshall({ pk: 'p', sk: POSITION }) });
    const { body } = await ask(KEY);
    expect(body).toEqual({ events: [], cursor: cursorOf(POSITION)[0] });
    await ask({ ...KEY, cursor: cursorOf(POSITION), from: ['2026-11-20'], to: ['2026-11-20'] });
    expect(asked()[1]?.ExclusiveStartKey?.sk).toEqual({ S: POSITION });
  });

  it.each(['2026-11-20', '2026-11-20T09:30', '2026-11-20T09:30Z', '2026-11-20T09:30:15Z', '2026-11-20T09:30:15.123Z'])(
    'from and to %s include what happened then',
    async (moment) => {
      const { ask, asked } = world();
      expect((await ask({ ...KEY, from: [moment], to: [moment] })).status).toBe(200);
      const values = asked()[0]?.ExpressionAttributeValues;
      expect([values?.[':from']?.S ?? '~', POSITION, values?.[':to']?.S ?? ''].toSorted()).toEqual([
        values?.[':from']?.S,
        POSITION,
        values?.[':to']?.S,
      ]);
    },
  );

  it('leaves out what happened before and after', async () => {
    const { ask, asked } = world();
    expect((await ask({ ...KEY, from: ['2026-11-20T09:30:16Z'] })).body).toEqual({ events: [], cursor: null });
    await ask({ ...KEY, to: ['2026-11-20T09:30:14Z'] });
    expect((asked()[1]?.ExpressionAttributeValues?.[':to']?.S ?? '~') < POSITION).toBe(true);
  });

  it('tells of reads by ranges how many there were, and finds them within their five minutes', async () => {
    const { ask, asked, dynamodb } = world();
    const read = { ...EVENT, action: 'ObjectDownloaded', bucket: TARGET_BUCKET, key: 'reports/1', uniqueId: 'reader' };
    const window = { from: '2026-11-20T09:30:00.000Z', to: '2026-11-20T09:35:00.000Z' };
    dynamodb
      .on(QueryCommand)
      .callsFake(async ({ Select }: { Select?: string }) =>
        Select === 'COUNT' ? { Count: 41 } : { Items: [marshall({ event: { ...read, window, bytes: '0-9' } })] },
      );
    const { body } = await ask({ ...KEY, from: ['2026-11-20T09:33:00Z'] });
    expect(body).toMatchObject({ events: [{ action: 'ObjectDownloaded', window, ranges: 42 }] });
    expect(asked()[0]?.ExpressionAttributeValues?.[':from']).toEqual({ S: '2026-11-20T09:30:00' });
    expect(asked()[1]?.ExpressionAttributeValues).toEqual({
      ':pk': { S: `reads#${TARGET_BUCKET}/reports/1` },
      ':event': { S: '2026-11-20T09:30:00.000Z#ObjectDownloaded#reader#' },
    });
  });

  it.each([
    [{ from: ['yesterday'] }, 'from must be'],
    [{ to: ['2026-11-20T09:30:15+01:00'] }, 'to must be'],
    [{ from: [''] }, 'from must be'],
    [{ from: ['2026-11-21'], to: ['2026-11-20'] }, 'from must not be later than to'],
    [{ cursor: ['bm9uc2Vuc2U'] }, 'cursor is not one'],
    [{ cursor: [''] }, 'cursor is not one'],
    [{ cursor: cursorOf(POSITION), to: ['2026-11-19'] }, 'cursor is not one'],
    [{ cursor: cursorOf(POSITION), from: ['2026-11-21'] }, 'cursor is not one'],
    [{ limit: ['1001'] }, 'limit must be'],
  ])('refuses %j with 400, before the table does', async (query, detail) => {
    const { ask, asked } = world();
    expect(await ask({ ...KEY, ...query })).toMatchObject({
      status: 400,
      body: { code: 'invalid-request', detail: expect.stringContaining(detail) },
    });
    expect(asked()).toEqual([]);
  });

  it('refuses to have no key', async () => {
    expect(await world().ask(null)).toMatchObject({ status: 400 });
  });

  it('denies a key without a right to it, before any look-up, and records that', async () => {
    const { ask, asked, dynamodb } = world();
    expect(await ask({ key: ['cards/1'] })).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    expect(asked()).toEqual([]);
    expect(auditEvents({ dynamodb })).toEqual([expect.objectContaining({ action: 'HistoryDenied', key: 'cards/1', actor: 'user-17' })]);
  });

  it('denies who may read and list, but not see histories', async () => {
    const { deps, asked } = world();
    const access = deps.access.map((rule) => ({ ...rule, may: ['read' as const, 'list' as const] }));
    const answer = await invoke(
      createHandler(() => ({ ...deps, access })),
      event('history'),
    );
    expect([answer.status, asked()]).toEqual([403, []]);
  });

  it('says that the trail is unavailable when it is', async () => {
    const { ask, dynamodb } = world();
    dynamodb.on(QueryCommand).rejects(tableError('ResourceNotFoundException', 'Requested resource not found: arn:aws:dynamodb'));
    const answer = await ask(KEY);
    expect(answer).toMatchObject({ status: 503, body: { code: 'audit-unavailable' } });
    expect(JSON.stringify(answer)).not.toContain('arn:');
  });
});

describe('GET /health', () => {
  it('says that the API answers, and nothing else', async () => {
    expect(await invoke(health, {})).toEqual({ status: 200, body: { status: 'ok' } });
  });
});
