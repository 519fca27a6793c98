import { BatchWriteItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
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
  size: 12,
  policyFingerprint: '0123456789abcdef',
  source: { bucket: INGEST_BUCKET, etag: ETAG, sequencer: '00ab' },
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
      Item: { pk: { S: `object#${TARGET_BUCKET}/a/b.txt` }, sk: { S: `record#${'0'.repeat(60)}00AB` } },
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

  it('writes many in one call, and the same source once', async () => {
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
      ExpressionAttributeValues: { ':pk': Item.pk, ':prefix': { S: 'record#' } },
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
