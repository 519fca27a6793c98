/** Orders of copies for downloads, and their deletions → the transit bucket. */
import { createObjectRecords } from '../src/audit/object-record.ts';
import { createAuditTrail } from '../src/audit/trail.ts';
import { positiveInteger } from '../src/config.ts';
import { createDeadLetters } from '../src/dead-letters.ts';
import { parseTransitEvent } from '../src/events/index.ts';
import { createOpenedWith } from '../src/keys/opened-with.ts';
import { createCustomerKeys } from '../src/keys/secret-keys.ts';
import { createMetrics } from '../src/metrics.ts';
import { createLog } from '../src/observability.ts';
import * as runtime from '../src/runtime.ts';
import { serveQueue } from '../src/serve-queue.ts';
import { processTransit, type TransitDeps } from '../src/transit-objects.ts';

/** Kept for events and dead letters once slow copies are given up, and before that for the parts under way. */
const RESERVES = { stopMs: 60_000, giveUpMs: 20_000 };

/** Takes messages of its queue, and reports by message. */
export const createHandler = serveQueue<TransitDeps>(RESERVES, (event, deps) =>
  processTransit(parseTransitEvent(event, deps.targetBucket), deps),
);

export const handler = createHandler(
  runtime.lazily(() => {
    const env = runtime.environment(
      'TARGET_BUCKET',
      'TARGET_BUCKET_OWNER',
      'TRANSIT_BUCKET',
      'TRANSIT_BUCKET_OWNER',
      'AUDIT_TABLE',
      'KMS_KEY_ARN',
      'CUSTOMER_KEY_SECRET',
      'TRANSIT_QUEUE_URL',
      'DEAD_LETTER_QUEUE_URL',
      'MAX_RECEIVE_COUNT',
      'PARTS_ABOVE_BYTES',
      'PART_BYTES',
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
      transitBucket: env.TRANSIT_BUCKET,
      transitBucketOwner: env.TRANSIT_BUCKET_OWNER,
      encryption: { mode: 'sse-kms', keyArn: env.KMS_KEY_ARN, bucketKey: true },
      customerKeys: createCustomerKeys({ secretsManager: runtime.secretsManager(), secretId: env.CUSTOMER_KEY_SECRET }),
      openedWith: createOpenedWith(),
      trail: createAuditTrail(dynamodb, env.AUDIT_TABLE),
      records: createObjectRecords(dynamodb, env.AUDIT_TABLE),
      limits: {
        partsAboveBytes: positiveInteger('PARTS_ABOVE_BYTES', env.PARTS_ABOVE_BYTES),
        partBytes: positiveInteger('PART_BYTES', env.PART_BYTES),
      },
      deadLetters: createDeadLetters(sqs, env.DEAD_LETTER_QUEUE_URL),
      queueUrl: env.TRANSIT_QUEUE_URL,
      maxReceiveCount: positiveInteger('MAX_RECEIVE_COUNT', env.MAX_RECEIVE_COUNT),
      metrics: createMetrics({ stack: env.STACK_NAME, write: runtime.print }),
      log: createLog('transit'),
    };
  }),
);
