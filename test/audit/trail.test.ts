import { BatchWriteItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import type { AuditEvent } from '../../src/audit/event.ts';
import { createAuditTrail } from '../../src/audit/trail.ts';
import { mockAws, tableError } from '../fixtures/aws.ts';
import { auditEvents } from '../fixtures/encrypt-world.ts';
import { AUDIT_TABLE, TARGET_BUCKET } from '../fixtures/objects.ts';

const AT = '2026-11-20T09:30:15.123Z';

function auditEvent(changes: Partial<AuditEvent> = {}): AuditEvent {
  return {
    action: 'ObjectEncrypted',
    outcome: 'success',
    bucket: TARGET_BUCKET,
    key: 'a.txt',
    actor: 'function/encrypt',
    at: AT,
    recordedAt: AT,
    uniqueId: '01',
    correlationId: 'request',
    ...changes,
  };
}

const many = (count: number) => Array.from({ length: count }, (_, index) => auditEvent({ uniqueId: String(index) }));

function world() {
  const aws = mockAws();
  aws.dynamodb.on(PutItemCommand).resolves({}).on(BatchWriteItemCommand).resolves({});
  const batches = () =>
    aws.dynamodb.commandCalls(BatchWriteItemCommand).map((call) => call.args[0].input.RequestItems?.[AUDIT_TABLE] ?? []);
  return { ...aws, trail: createAuditTrail(aws.clients.dynamodb, AUDIT_TABLE), batches };
}

describe('appendNew', () => {
  it('writes each event only where it is not there yet', async () => {
    const { trail, dynamodb } = world();
    await trail.appendNew(many(2));
    const puts = dynamodb.commandCalls(PutItemCommand).map((call) => call.args[0].input);
    expect(puts.map(({ ConditionExpression }) => ConditionExpression)).toEqual(Array(2).fill('attribute_not_exists(pk)'));
    expect(puts[1]).toMatchObject({ Item: { pk: { S: `audit#${TARGET_BUCKET}/a.txt` }, sk: { S: `${AT}#ObjectEncrypted#1` } } });
  });

  it('leaves what is there as it is', async () => {
    const { trail, dynamodb } = world();
    dynamodb.on(PutItemCommand).rejects(tableError('ConditionalCheckFailedException'));
    await expect(trail.appendNew(many(2))).resolves.toBeUndefined();
  });

  it('throws audit-unavailable for anything else', async () => {
    const { trail, dynamodb } = world();
    dynamodb.on(PutItemCommand).rejects(tableError('InternalServerError'));
    await expect(trail.appendNew(many(1))).rejects.toMatchObject({ code: 'audit-unavailable' });
  });
});

describe('append', () => {
  it.each([
    [0, []],
    [1, []],
    [2, [2]],
    [24, [24]],
    [25, [25]],
    [26, [25, 1]],
    [51, [25, 25, 1]],
  ])('writes %d events in batches of %j', async (count, sizes) => {
    const { trail, batches, dynamodb } = world();
    await trail.append(many(count));
    expect(batches().map((batch) => batch.length)).toEqual(sizes);
    expect(dynamodb.commandCalls(PutItemCommand)).toHaveLength(count === 1 ? 1 : 0);
    expect(auditEvents({ dynamodb })).toEqual(many(count));
  });

  it('keys an event by object, moment, action and id', async () => {
    const { trail, dynamodb } = world();
    await trail.append([auditEvent()]);
    expect(dynamodb.commandCalls(PutItemCommand)[0]?.args[0].input).toMatchObject({
      TableName: AUDIT_TABLE,
      Item: { pk: { S: `audit#${TARGET_BUCKET}/a.txt` }, sk: { S: `${AT}#ObjectEncrypted#01` } },
    });
  });

  it('takes repetitions of one event for one, and its last state', async () => {
    const { trail, dynamodb } = world();
    await trail.append([auditEvent({ detail: 'first' }), auditEvent({ detail: 'second' })]);
    expect(auditEvents({ dynamodb })).toEqual([auditEvent({ detail: 'second' })]);
  });

  it('keeps events apart that differ in one word', async () => {
    const { trail, dynamodb } = world();
    const others: Partial<AuditEvent>[] = [
      { key: 'b.txt' },
      { at: '2026-11-20T09:30:15.124Z' },
      { action: 'EncryptionFailed' },
      { uniqueId: '02' },
    ];
    await trail.append([auditEvent(), ...others.map(auditEvent)]);
    expect(auditEvents({ dynamodb })).toHaveLength(5);
  });

  it('sends again what the table handed back, and only that', async () => {
    const { trail, dynamodb, batches } = world();
    dynamodb
      .on(BatchWriteItemCommand)
      .callsFakeOnce(async (input: { RequestItems: Record<string, unknown[]> }) => ({
        UnprocessedItems: { [AUDIT_TABLE]: input.RequestItems[AUDIT_TABLE]?.slice(1) },
      }))
      .resolves({});
    await trail.append(many(3));
    expect(batches().map((batch) => batch.length)).toEqual([3, 2]);
  });

  it('fails when the table keeps handing events back', async () => {
    const { trail, dynamodb, batches } = world();
    dynamodb
      .on(BatchWriteItemCommand)
      .callsFake(async (input: { RequestItems: Record<string, unknown[]> }) => ({ UnprocessedItems: input.RequestItems }));
    await expect(trail.append(many(2))).rejects.toMatchObject({
      code: 'audit-unavailable',
      message: expect.stringContaining('2 items unwritten'),
    });
    expect(batches()).toHaveLength(5);
  });

  it.each(['ResourceNotFoundException', 'AccessDeniedException', 'ThrottlingException', 'ValidationException'])(
    'fails by one name at %s',
    async (name) => {
      const { trail, dynamodb } = world();
      dynamodb.on(PutItemCommand).rejects(tableError(name));
      await expect(trail.append([auditEvent()])).rejects.toMatchObject({
        code: 'audit-unavailable',
        retryable: true,
        message: expect.stringContaining(name),
      });
    },
  );
});

describe('history', () => {
  const ALL = { bucket: TARGET_BUCKET, key: 'a.txt', limit: 2 };

  it('asks for one object, oldest first, as it is now', async () => {
    const { trail, dynamodb } = world();
    dynamodb.on(QueryCommand).resolves({ Items: many(2).map((event) => marshall({ event })) });
    expect(await trail.history(ALL)).toEqual({ events: many(2), next: null });
    const input = dynamodb.commandCalls(QueryCommand)[0]?.args[0].input;
    expect(input).toMatchObject({ TableName: AUDIT_TABLE, Limit: 2, ConsistentRead: true });
    expect(input).not.toHaveProperty('ScanIndexForward', false);
    expect(input?.ExpressionAttributeValues).toEqual({
      ':pk': { S: `audit#${TARGET_BUCKET}/a.txt` },
      ':from': { S: ' ' },
      ':to': { S: '~' },
    });
  });

  it('goes on behind the page before', async () => {
    const { trail, dynamodb } = world();
    const sk = `${AT}#ObjectEncrypted#01`;
    dynamodb.on(QueryCommand).resolves({ Items: [], LastEvaluatedKey: marshall({ pk: 'p', sk }) });
    expect(await trail.history({ ...ALL, after: sk })).toEqual({ events: [], next: sk });
    expect(dynamodb.commandCalls(QueryCommand)[0]?.args[0].input.ExclusiveStartKey).toEqual(
      marshall({ pk: `audit#${TARGET_BUCKET}/a.txt`, sk }),
    );
  });

  it.each([
    ['2026-11-20', '2026-11-20'],
    ['2026-11-20T09:30', '2026-11-20T09:30:15'],
    [AT.slice(0, -1), AT.slice(0, -1)],
  ])('from %s to %s includes an event within', async (from, to) => {
    const { trail, dynamodb } = world();
    dynamodb.on(QueryCommand).resolves({});
    await trail.history({ ...ALL, from, to });
    const values = dynamodb.commandCalls(QueryCommand)[0]?.args[0].input.ExpressionAttributeValues;
    const sortKey = `${AT}#ObjectEncrypted#01`;
    expect(values?.[':from']?.S).toSatisfy((start: string) => start <= sortKey);
    expect(values?.[':to']?.S).toSatisfy((end: string) => sortKey <= end);
  });

  it('fails by name when the table does not answer', async () => {
    const { trail, dynamodb } = world();
    dynamodb.on(QueryCommand).rejects(tableError('InternalServerError'));
    await expect(trail.history(ALL)).rejects.toMatchObject({ code: 'audit-unavailable', object: { key: 'a.txt' } });
  });
});
