import { BatchWriteItemCommand, PutItemCommand, type PutItemCommandInput, QueryCommand } from '@aws-sdk/client-dynamodb';
import { CopyObjectCommand, type CopyObjectCommandInput } from '@aws-sdk/client-s3';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import { createHandler } from '../../handlers/encrypt.ts';
import { honestCopy } from '../fixtures/aws.ts';
import { auditEvents, claims, copyInputs, encryptWorld, objectRecords } from '../fixtures/encrypt-world.ts';
import { event } from '../fixtures/events.ts';
import { notification, queued } from '../fixtures/messages.ts';
import { ETAG, INGEST_BUCKET, KEY_BASE64, KEY_VERSION, MANAGED_KEY, STACK_KEY, TARGET_BUCKET, VERSION_ID } from '../fixtures/objects.ts';

const NO_FAILURES = { batchItemFailures: [] };

/** Key → what the copy must say of encryption, and how it is described ever after. */
const BY_RULE = {
  'plain/a.txt': [{ ServerSideEncryption: 'AES256' }, { mode: 'sse-s3' }],
  'other/a.txt': [
    { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: STACK_KEY, BucketKeyEnabled: true },
    { mode: 'sse-kms', keyArn: STACK_KEY, bucketKey: true },
  ],
  'managed/a.txt': [
    { ServerSideEncryption: 'aws:kms', BucketKeyEnabled: false },
    { mode: 'sse-kms', keyArn: MANAGED_KEY, bucketKey: false },
  ],
  'dsse/a.txt': [
    { ServerSideEncryption: 'aws:kms:dsse', SSEKMSKeyId: STACK_KEY },
    { mode: 'dsse-kms', keyArn: STACK_KEY },
  ],
  'cards/a.txt': [
    { SSECustomerAlgorithm: 'AES256', SSECustomerKey: KEY_BASE64 },
    { mode: 'sse-c', customerKeyVersion: KEY_VERSION },
  ],
} as const;

describe('the encrypt function', () => {
  it.each(Object.entries(BY_RULE))(
    'stores %s as its rule says, with one S3 call, one look at the table and three writes',
    async (key, [asked, described]) => {
      const world = encryptWorld();
      const answer = await createHandler(() => world.deps)(queued([notification({ key })]));
      expect(answer).toEqual(NO_FAILURES);
      expect(copyInputs(world)).toEqual([expect.objectContaining({ Bucket: TARGET_BUCKET, Key: key, ...asked })]);
      expect(world.s3.calls()).toHaveLength(1);
      expect(world.dynamodb.commandCalls(QueryCommand)).toHaveLength(1);
      expect(world.dynamodb.commandCalls(PutItemCommand)).toHaveLength(3);
      expect(world.dynamodb.calls()).toHaveLength(4);
      expect(world.sqs.calls()).toHaveLength(0);
      expect(claims(world)).toEqual([expect.objectContaining({ bucket: TARGET_BUCKET, key, sequencer: '0065A1' })]);
      expect(auditEvents(world)).toEqual([
        expect.objectContaining({ action: 'ObjectEncrypted', outcome: 'success', key, encryption: described }),
      ]);
      expect(objectRecords(world)).toEqual([expect.objectContaining({ bucket: TARGET_BUCKET, key, encryption: described, etag: ETAG })]);
    },
  );

  it('records all that is known of a copy', async () => {
    const world = encryptWorld();
    await createHandler(() => world.deps)(event('sqs-s3-put'));
    expect(auditEvents(world)).toEqual([
      {
        action: 'ObjectEncrypted',
        outcome: 'success',
        bucket: TARGET_BUCKET,
        key: 'reports/2026/annual report.pdf',
        actor: 'function/encrypt',
        requester: 'AWS:AROAEXAMPLEINGESTAPP:uploader',
        at: '2026-11-20T09:30:15.123Z',
        recordedAt: expect.stringMatching(/^\d{4}-.*Z$/),
        uniqueId: '0065A1B2C3D4E5F607',
        correlationId: 'N4N7GDK58NMKJ12R',
        size: 48213,
        sourceVersionId: VERSION_ID,
        versionId: 'target-version-1',
        encryption: { mode: 'sse-kms', keyArn: STACK_KEY, bucketKey: true },
      },
    ]);
    expect(objectRecords(world)).toEqual([
      {
        bucket: TARGET_BUCKET,
        key: 'reports/2026/annual report.pdf',
        encryption: { mode: 'sse-kms', keyArn: STACK_KEY, bucketKey: true },
        etag: ETAG,
        versionId: 'target-version-1',
        checksum: { algorithm: 'CRC64NVME', value: 'ODg4ODg4ODg=', type: 'FULL_OBJECT' },
        proof: 'source-pinned',
        size: 48213,
        policyFingerprint: world.deps.policyFingerprint,
        source: {
          bucket: INGEST_BUCKET,
          etag: ETAG,
          versionId: VERSION_ID,
          sequencer: '0065A1B2C3D4E5F607',
          eventTime: '2026-11-20T09:30:15.123Z',
          correlationId: 'N4N7GDK58NMKJ12R',
          requester: 'AWS:AROAEXAMPLEINGESTAPP:uploader',
        },
        encryptedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      },
    ]);
  });

  it('handles ten objects with ten looks and copies, and one batch each of claims, events and records', async () => {
    const world = encryptWorld();
    const bodies = Array.from({ length: 10 }, (_, index) => notification({ key: `cards/${index}.csv`, sequencer: `0${index}` }));
    expect(await createHandler(() => world.deps)(queued(bodies))).toEqual(NO_FAILURES);
    expect(world.s3.calls()).toHaveLength(10);
    expect(world.dynamodb.commandCalls(QueryCommand)).toHaveLength(10);
    expect(world.dynamodb.commandCalls(BatchWriteItemCommand)).toHaveLength(3);
    expect(world.dynamodb.calls()).toHaveLength(13);
    expect(claims(world)).toHaveLength(10);
    expect(objectRecords(world)).toHaveLength(10);
    expect(world.secretsManager.commandCalls(GetSecretValueCommand)).toHaveLength(1);
    expect(auditEvents(world).map(({ key }) => key)).toEqual(objectRecords(world).map(({ key }) => key));
  });

  it('asks KMS once which key aws/s3 is', async () => {
    const world = encryptWorld();
    const handler = createHandler(() => world.deps);
    for (const sequencer of ['01', '02', '03']) {
      await handler(queued(['managed/1', 'managed/2'].map((key) => notification({ key, sequencer }))));
    }
    expect(copyInputs(world)).toHaveLength(6);
    expect(world.kms.calls()).toHaveLength(1);
  });

  it('writes in this order: claim, copy, audit event, record', async () => {
    const world = encryptWorld();
    const order: string[] = [];
    world.dynamodb.on(PutItemCommand).callsFake(async ({ Item }: PutItemCommandInput) => {
      order.push(...['claim', 'event', 'record'].filter((kind) => kind in (Item ?? {})));
      return {};
    });
    world.s3.on(CopyObjectCommand).callsFake(async (input: CopyObjectCommandInput) => {
      order.push('copy');
      return honestCopy(input);
    });
    await createHandler(() => world.deps)(queued([notification({})]));
    expect(order).toEqual(['claim', 'copy', 'event', 'record']);
  });

  it('copies an object that stands twice in one batch once', async () => {
    const world = encryptWorld();
    expect(await createHandler(() => world.deps)(queued([notification({}), notification({})]))).toEqual(NO_FAILURES);
    expect(copyInputs(world)).toHaveLength(1);
    expect(auditEvents(world)).toHaveLength(1);
    expect(objectRecords(world)).toHaveLength(1);
  });

  it.each(['sqs-test-event', 's3-object-removed', 'eventbridge-object-deleted', 'broken/empty-batch'])(
    'does nothing for %s',
    async (name) => {
      const world = encryptWorld();
      expect(await createHandler(() => world.deps)(event(name))).toEqual(NO_FAILURES);
      expect([...world.s3.calls(), ...world.dynamodb.calls(), ...world.sqs.calls()]).toHaveLength(0);
    },
  );

  it.each(['s3-put', 'sns-s3-put', 'eventbridge-versioned', 'sqs-sns-s3', 'sqs-eventbridge'])('encrypts what %s names', async (name) => {
    const world = encryptWorld();
    expect(await createHandler(() => world.deps)(event(name))).toEqual(NO_FAILURES);
    expect(objectRecords(world)).toEqual([expect.objectContaining({ key: 'reports/2026/annual report.pdf' })]);
  });
});
