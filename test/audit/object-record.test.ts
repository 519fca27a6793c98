import { ConditionalCheckFailedException, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { createObjectRecords, type ObjectRecord } from '../../src/audit/object-record.ts';
import { mockAws, tableError } from '../fixtures/aws.ts';
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
const KEY = { pk: { S: `object#${TARGET_BUCKET}/a/b.txt` }, sk: { S: 'record' } };

function world() {
  const aws = mockAws();
  aws.dynamodb.on(PutItemCommand).resolves({});
  return { ...aws, records: createObjectRecords(aws.clients.dynamodb, AUDIT_TABLE) };
}

describe('put', () => {
  it('writes only over a record of an older or the same source', async () => {
    const { records, dynamodb } = world();
    expect(await records.put(RECORD)).toBe('written');
    const input = dynamodb.commandCalls(PutItemCommand)[0]?.args[0].input;
    expect(input).toMatchObject({
      TableName: AUDIT_TABLE,
      Item: { ...KEY, order: { S: `${'0'.repeat(60)}00AB` } },
      ConditionExpression: 'attribute_not_exists(pk) OR #order <= :order',
      ExpressionAttributeNames: { '#order': 'order' },
      ExpressionAttributeValues: { ':order': { S: `${'0'.repeat(60)}00AB` } },
    });
  });

  it('leaves the record of a newer source alone', async () => {
    const { records, dynamodb } = world();
    dynamodb.on(PutItemCommand).rejects(new ConditionalCheckFailedException({ message: 'The conditional request failed', $metadata: {} }));
    expect(await records.put(RECORD)).toBe('superseded');
  });

  it('fails by name, with its object', async () => {
    const { records, dynamodb } = world();
    dynamodb.on(PutItemCommand).rejects(tableError('ThrottlingException'));
    await expect(records.put(RECORD)).rejects.toMatchObject({ code: 'audit-unavailable', retryable: true, object: { key: 'a/b.txt' } });
  });
});

describe('get', () => {
  it('gives what was put', async () => {
    const { records, dynamodb } = world();
    await records.put(RECORD);
    const Item = dynamodb.commandCalls(PutItemCommand)[0]?.args[0].input.Item ?? {};
    dynamodb.on(GetItemCommand, { TableName: AUDIT_TABLE, Key: KEY, ConsistentRead: true }).resolves({ Item });
    expect(await records.get(TARGET_BUCKET, 'a/b.txt')).toEqual(RECORD);
  });

  it('gives null where there is none', async () => {
    const { records, dynamodb } = world();
    dynamodb.on(GetItemCommand).resolves({});
    expect(await records.get(TARGET_BUCKET, 'none')).toBeNull();
  });

  it('fails by name, and never says that there is none', async () => {
    const { records, dynamodb } = world();
    dynamodb.on(GetItemCommand).rejects(tableError('InternalServerError'));
    await expect(records.get(TARGET_BUCKET, 'a')).rejects.toMatchObject({ code: 'audit-unavailable' });
  });
});
