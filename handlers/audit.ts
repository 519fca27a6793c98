/** Events of the target bucket → what others did to it, in the audit trail. */
import { createObjectRecords } from '../src/audit/object-record.ts';
import { createAuditTrail } from '../src/audit/trail.ts';
import { type AuditDeps, auditTargetEvents } from '../src/audit-target-events.ts';
import { positiveInteger } from '../src/config.ts';
import { createDeadLetters } from '../src/dead-letters.ts';
import { parseTargetEvents } from '../src/events/index.ts';
import { createManagedKey } from '../src/keys/managed-key.ts';
import { createMetrics } from '../src/metrics.ts';
import { createLog } from '../src/observability.ts';
import * as runtime from '../src/runtime.ts';
import { serveQueue } from '../src/serve-queue.ts';

/** Time kept for events and dead letters once slow look-ups are given up. */
const RESERVES = { stopMs: 15_000, giveUpMs: 15_000 };

export const createHandler = serveQueue<AuditDeps>(RESERVES, (event, deps) => auditTargetEvents(parseTargetEvents(event), deps));

export const handler = createHandler(
  runtime.lazily(() => {
    const env = runtime.environment(
      'TARGET_BUCKET',
      'TARGET_BUCKET_OWNER',
      'AUDIT_TABLE',
      'KMS_KEY_ARN',
      'ENCRYPT_ROLE_ID',
      'TARGET_EVENTS_QUEUE_URL',
      'DEAD_LETTER_QUEUE_URL',
      'MAX_RECEIVE_COUNT',
      'RECORD_GRACE_SECONDS',
      'STACK_NAME',
    );
    const sqs = runtime.sqs();
    const dynamodb = runtime.dynamodb();
    return {
      s3: runtime.s3(),
      sqs,
      policy: runtime.policy(),
      targetBucket: env.TARGET_BUCKET,
      targetBucketOwner: env.TARGET_BUCKET_OWNER,
      kmsKeyArn: env.KMS_KEY_ARN,
      managedKeyArn: createManagedKey(runtime.kms()),
      encryptRoleId: env.ENCRYPT_ROLE_ID,
      recordGraceSeconds: positiveInteger('RECORD_GRACE_SECONDS', env.RECORD_GRACE_SECONDS),
      trail: createAuditTrail(dynamodb, env.AUDIT_TABLE),
      records: createObjectRecords(dynamodb, env.AUDIT_TABLE),
      deadLetters: createDeadLetters(sqs, env.DEAD_LETTER_QUEUE_URL),
      queueUrl: env.TARGET_EVENTS_QUEUE_URL,
      maxReceiveCount: positiveInteger('MAX_RECEIVE_COUNT', env.MAX_RECEIVE_COUNT),
      metrics: createMetrics({ stack: env.STACK_NAME, write: runtime.print }),
      log: createLog('audit'),
    };
  }),
);
