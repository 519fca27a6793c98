import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { ListObjectVersionsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, test } from 'vitest';
import { type ForeignWrite, ownWritesTold, tryAuditTrail } from '../../../cli/doctor/probes/audit-trail.ts';
import type { ProbeOptions } from '../../../cli/doctor/probes/probe.ts';
import { policySchema } from '../../../src/policy/schema.ts';
import { denied, healthyWorld, NOT_ALLOWED, POLICY, refusal, STACK, type World } from './world.ts';

describe('the audit of what others write', () => {
  const written: ForeignWrite = { key: 'a', encryption: { mode: 'sse-s3' } };
  const none = policySchema.parse({ version: 1, default: { encryption: { mode: 'sse-kms' } } });
  const options = (change: Partial<ProbeOptions> = {}): ProbeOptions => ({
    timeoutMs: 0,
    api: null,
    signal: new AbortController().signal,
    ...change,
  });
  /** What the table has of each key; `*`: of any other. */
  const world = (history: Record<string, object[]>, policy: World['context']['policy'] = none) => {
    const made = healthyWorld({ policy });
    made.dynamodb.on(QueryCommand).callsFake(async ({ ExpressionAttributeValues = {} }) => {
      const key = String(ExpressionAttributeValues[':pk'].S).replace(`audit#${STACK.targetBucket}/`, '');
      return {
        Items: (history[key] ?? history['*'] ?? []).map((event) => marshall({ event: { at: '2026-11-20T09:30:15.123Z', ...event } })),
      };
    });
    made.s3.on(PutObjectCommand).resolves({});
    made.s3.on(ListObjectVersionsCommand).resolves({});
    return made;
  };
  const foreign = (encryption?: object) => ({ action: 'ObjectWritten', ...(encryption && { encryption }) });

  test('holds where it is recorded as it was written', async () => {
    const made = world({ a: [foreign({ mode: 'sse-s3' })] });
    expect(await tryAuditTrail(made.context, [written], options())).toEqual({
      findings: [],
      held: ['a write of somebody else is recorded (sse-s3)'],
      skipped: [],
    });
    expect(made.s3.commandCalls(ListObjectVersionsCommand).map(({ args }) => args[0].input.Prefix)).toEqual(['a', 'a']);
  });

  test.each<[title: string, history: Record<string, object[]>, id: string]>([
    ['one that is not recorded', {}, 'audit-trail.write-not-recorded'],
    ['one that is recorded without its encryption', { a: [foreign()] }, 'audit-trail.other-encryption'],
    ['one that is recorded under another', { a: [foreign({ mode: 'sse-c' })] }, 'audit-trail.other-encryption'],
    ['drift where there is none', { a: [foreign({ mode: 'sse-s3' }), { action: 'DriftFound' }] }, 'audit-trail.other-encryption'],
  ])('finds %s', async (_, history, id) => {
    expect((await tryAuditTrail(world(history).context, [written], options())).findings).toMatchObject([{ id, severity: 'error' }]);
  });

  test('writes under a customer key of nobody where the policy names SSE-C, and shows it nowhere', async () => {
    const made = world({ '*': [foreign({ mode: 'sse-c' })] }, POLICY);
    const result = await tryAuditTrail(made.context, [], options());
    expect(result).toMatchObject({ findings: [], held: ['a write of somebody else is recorded (sse-c)'] });
    const { Key, SSECustomerKey = '' } = made.s3.commandCalls(PutObjectCommand)[0]?.args[0].input ?? {};
    expect(Key).toMatch(/^cards\/sealdrop-doctor\//);
    expect(Buffer.from(String(SSECustomerKey), 'base64')).toHaveLength(32);
    expect(JSON.stringify(result)).not.toContain(SSECustomerKey);
  });

  test.each([
    ['s3:PutObject is missing', NOT_ALLOWED, ['audit-trail.could-not-look']],
    ['the bucket blocks SSE-C, which its settings say', 'SSE-C is blocked by this bucket', []],
  ])('goes without that write where %s', async (_, message, ids) => {
    const made = world({ a: [foreign({ mode: 'sse-s3' })] }, POLICY);
    made.s3.on(PutObjectCommand).rejects(denied(message));
    expect((await tryAuditTrail(made.context, [written], options())).findings.map(({ id }) => id)).toEqual(ids);
  });

  test('says that nothing could be written', async () => {
    expect(await tryAuditTrail(world({}).context, [], options())).toMatchObject({
      findings: [],
      held: [],
      skipped: [expect.any(String)],
    });
  });

  test('could not be followed by somebody who may not read the table, and is removed', async () => {
    const made = world({});
    made.dynamodb.on(QueryCommand).rejects(refusal('AccessDeniedException'));
    expect((await tryAuditTrail(made.context, [written], options())).findings).toMatchObject([{ id: 'audit-trail.could-not-look' }]);
    expect(made.s3.commandCalls(ListObjectVersionsCommand)).toHaveLength(2);
  });

  test('takes nothing of ours for it', async () => {
    const { context } = world({ own: [{ action: 'ObjectEncrypted' }], taken: [{ action: 'ObjectEncrypted' }, foreign()] });
    expect(await ownWritesTold(context, ['own'])).toEqual([]);
    expect(await ownWritesTold(context, ['own', 'taken'])).toMatchObject([{ id: 'audit-trail.own-write-foreign', severity: 'error' }]);
  });

  test('says that it may not look for our own', async () => {
    const made = world({});
    made.dynamodb.on(QueryCommand).rejects(refusal('AccessDeniedException'));
    expect(await ownWritesTold(made.context, ['own'])).toMatchObject([{ id: 'audit-trail.could-not-look' }]);
  });
});
