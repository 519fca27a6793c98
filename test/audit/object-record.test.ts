import { BatchWriteItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import { createObjectRecords, type ObjectRecord } from '../../src/audit/object-record.ts';
import { mockAws, tableError } from '../fixtures/aws.ts';
import { objectRecords } from '../fixtures/encrypt-world.ts';
import { AUDIT_TABLE, ETAG, INGEST_BUCKET, TARGET_BUCKET } from '../fixtures/objects.ts';

const RECORD: ObjectRecord = {
  bucket: TARGET_BUCKET,
  key: 'a/b.txt',
  encryption: { mode: 'sse-s3' },
  etag: ETAG,
  proof: 'source-pinned',
  size: 12,
  policyFingerprint: '0123456789abcdef',
  source: { bucket: INGEST_BUCKET, etag: ETAG, sequencer: '00ab', eventTime: '2026-11-20T09:30:15.123Z', correlationId: 'REQUEST' },
  encryptedAt: '2026-11-20T09:30:16.000Z',
};
const of = (sequencer: string): ObjectRecord => ({ ...RECORD, source: { ...RECORD.source, sequencer } });

function world() {
  const aws = mockAws();
  aws.dynamodb.on(PutItemCommand).resolves({}).on(BatchWriteItemCommand).resolves({});
  return { ...aws, records: createObjectRecords(aws.clients.dynamodb, AUDIT_TABLE) };
}

describe('append', () => {
  it('keys a record by its object and its source, as S3 ordered the writes', async () => {
    const { records, dynamodb } = world();
    await records.append([RECORD]);
    expect(dynamodb.commandCalls(PutItemCommand)[0]?.args[0].input).toMatchObject({
      TableName: AUDIT_TABLE,
      Item: { pk: { S: `object#${TARGET_BUCKET}/a/b.txt` }, sk: { S: `source#${'0'.repeat(60)}00AB#record#2026-11-20T09:30:16.000Z` } },
    });
  });

  it('sorts sequencers of different lengths and cases as numbers', async () => {
    const { records, dynamodb } = world();
    const inOrder = ['9', '0a', '10', 'FF', '0100', '0065a1b2c3d4e5f607'];
    await records.append(inOrder.map(of));
    const [batch] = dynamodb.commandCalls(BatchWriteItemCommand).map((call) => call.args[0].input.RequestItems?.[AUDIT_TABLE] ?? []);
    const keys = (batch ?? []).map(({ PutRequest }) => PutRequest?.Item?.sk?.S ?? '');
    expect([...keys].sort()).toEqual(keys);
    expect(new Set(keys).size).toBe(inOrder.length);
  });

  it('writes many in one call, and the same copy once', async () => {
    const { records, dynamodb } = world();
    await records.append([of('01'), of('02'), of('02')]);
    expect(dynamodb.calls()).toHaveLength(1);
    expect(objectRecords({ dynamodb }).map(({ source }) => source.sequencer)).toEqual(['01', '02']);
  });

  it('fails by name', async () => {
    const { records, dynamodb } = world();
    dynamodb.on(PutItemCommand).rejects(tableError('ThrottlingException'));
    await expect(records.append([RECORD])).rejects.toMatchObject({ code: 'audit-unavailable', retryable: true });
  });
});

describe('latest', () => {
  it('asks for the newest alone, and gives what was written', async () => {
    const { records, dynamodb } = world();
    await records.append([RECORD]);
    const Item = dynamodb.commandCalls(PutItemCommand)[0]?.args[0].input.Item ?? {};
    dynamodb.on(QueryCommand).resolves({ Items: [Item] });
    expect(await records.latest(TARGET_BUCKET, 'a/b.txt')).toEqual(RECORD);
    expect(dynamodb.commandCalls(QueryCommand)[0]?.args[0].input).toMatchObject({
      TableName: AUDIT_TABLE,
      ExpressionAttributeValues: { ':pk': Item.pk, ':prefix': { S: 'source#' } },
      ScanIndexForward: false,
      Limit: 1,
      ConsistentRead: true,
    });
  });

  it('gives null where there is none', async () => {
    const { records, dynamodb } = world();
    dynamodb.on(QueryCommand).resolves({ Items: [] });
    expect(await records.latest(TARGET_BUCKET, 'none')).toBeNull();
  });

  it('fails by name, and never says that there is none', async () => {
    const { records, dynamodb } = world();
    dynamodb.on(QueryCommand).rejects(tableError('InternalServerError'));
    await expect(records.latest(TARGET_BUCKET, 'a')).rejects.toMatchObject({ code: 'audit-unavailable', object: { key: 'a' } });
  });
});

describe('knowsMessage', () => {
  it('finds the message that some version is recorded to be, whichever', async () => {
    const { records, dynamodb } = world();
    const item = (messageId: string) => marshall({ record: { ...RECORD, envelope: { messageId, messageBytes: 1 } } });
    dynamodb.on(QueryCommand).resolves({ Items: [item('b'), item('a')] });
    expect(await records.knowsMessage(TARGET_BUCKET, 'a/b.txt', 'a')).toBe(true);
    expect(await records.knowsMessage(TARGET_BUCKET, 'a/b.txt', 'c')).toBe(false);
  });
});

describe('find', () => {
  const stored = (versionId: string | undefined, etag = ETAG) =>
    marshall({ record: { ...RECORD, etag, ...(versionId === undefined ? {} : { versionId }) } });

  function finding(...pages: ReturnType<typeof stored>[][]) {
    const { records, dynamodb } = world();
    for (const [index, Items] of pages.entries()) {
      const after = { pk: { S: 'p' }, sk: { S: String(index) } };
      const answer = dynamodb.on(QueryCommand, index === 0 ? {} : { ExclusiveStartKey: { pk: { S: 'p' }, sk: { S: String(index - 1) } } });
      answer.resolves({ Items, ...(index < pages.length - 1 ? { LastEvaluatedKey: after } : {}) });
    }
    const find = (versionId: string | undefined, etag = ETAG) =>
      records.find(TARGET_BUCKET, 'a/b.txt', { etag, ...(versionId === undefined ? {} : { versionId }) });
    return { find, calls: () => dynamodb.commandCalls(QueryCommand).length };
  }

  it('finds a version that is not the newest', async () => {
    const { find, calls } = finding([stored('v3'), stored('v2'), stored('v1')]);
    expect(await find('v1')).toMatchObject({ versionId: 'v1' });
    expect(calls()).toBe(1);
  });

  it('looks on behind a page, and no further than it must', async () => {
    const { find, calls } = finding([stored('v3')], [stored('v2')], [stored('v1')]);
    expect(await find('v2')).toMatchObject({ versionId: 'v2' });
    expect(calls()).toBe(2);
  });

  it('gives null for a version that no record has, whatever its etag', async () => {
    const { find } = finding([stored('v1'), stored(undefined)]);
    expect(await find('v2')).toBeNull();
    expect(await finding([]).find('v2')).toBeNull();
  });

  it.each([
    [undefined, 'null'],
    ['null', undefined],
    ['null', 'null'],
  ])('finds what has no version of its own by its etag: recorded as %s, asked for as %s', async (recorded, asked) => {
    const { find } = finding([stored(recorded, 'other'), stored(recorded)]);
    expect(await find(asked)).toMatchObject({ etag: ETAG });
    expect(await find(asked, 'nowhere')).toBeNull();
  });

  it('says that it cannot know, never that there is none, where a key has more than it looks through', async () => {
    const { records, dynamodb } = world();
    dynamodb.on(QueryCommand).resolves({ Items: [stored('other')], LastEvaluatedKey: { pk: { S: 'p' }, sk: { S: 's' } } });
    await expect(records.find(TARGET_BUCKET, 'a/b.txt', { versionId: 'v', etag: ETAG })).rejects.toMatchObject({
      code: 'audit-unavailable',
      object: { key: 'a/b.txt' },
    });
    // Pages after the first are as large as the table makes them.
    expect(dynamodb.commandCalls(QueryCommand).map((call) => call.args[0].input.Limit)).toEqual([20, ...Array(49).fill(undefined)]);
  });

  it.each([undefined, 'null'])('goes by the etag where the record has the version %s and the event none', async (recorded) => {
    const { find } = finding([stored(recorded, 'other'), stored(recorded)]);
    expect(await find(undefined)).toMatchObject({ etag: ETAG });
    expect(await finding([stored(recorded, 'other'), stored('v1')]).find(undefined)).toBeNull();
  });

  it('fails by name, and never says that there is none', async () => {
    const { records, dynamodb } = world();
    dynamodb.on(QueryCommand).rejects(tableError('InternalServerError'));
    await expect(records.find(TARGET_BUCKET, 'a', { etag: ETAG })).rejects.toMatchObject({ code: 'audit-unavailable' });
  });
});
