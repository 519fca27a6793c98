/** Ingest events → encrypted copies in the target bucket. */
import { createObjectRecords } from '../src/audit/object-record.ts';
import { createAuditTrail } from '../src/audit/trail.ts';
import { positiveInteger } from '../src/config.ts';
import { createContinuations } from '../src/continuations.ts';
import { createDecryptor } from '../src/copy/decryptor.ts';
import { createSealer } from '../src/copy/sealer.ts';
import { createDeadLetters } from '../src/dead-letters.ts';
import { createVersioningCheck } from '../src/delete-source.ts';
import { parseIngestEvent } from '../src/events/index.ts';
import { createManagedKey } from '../src/keys/managed-key.ts';
import { createCustomerKeys, createWrappingKeys } from '../src/keys/secret-keys.ts';
import { createMetrics } from '../src/metrics.ts';
import { createLog } from '../src/observability.ts';
import { policyFingerprint } from '../src/policy/fingerprint.ts';
import { decryptsSources, namesMode } from '../src/policy/keys.ts';
import { type ProcessDeps, processIngest } from '../src/process-ingest.ts';
import * as runtime from '../src/runtime.ts';
import { serveQueue } from '../src/serve-queue.ts';

/** Kept for events, records and dead letters once slow copies are given up, and before that for the parts under way. */
const RESERVES = { stopMs: 60_000, giveUpMs: 20_000 };

/** Takes any accepted event; of a queue it reports per message, without one it throws only what could not be dead-lettered. */
export const createHandler = serveQueue<ProcessDeps>(RESERVES, (event, deps) => processIngest(parseIngestEvent(event), deps));

export const handler = createHandler(
  runtime.lazily(() => {
    const env = runtime.environment(
      'TARGET_BUCKET',
      'TARGET_BUCKET_OWNER',
      'INGEST_BUCKET_OWNER',
      'AUDIT_TABLE',
      'KMS_KEY_ARN',
      'CUSTOMER_KEY_SECRET',
      'INGEST_QUEUE_URL',
      'DEAD_LETTER_QUEUE_URL',
      'MAX_RECEIVE_COUNT',
      'PARTS_ABOVE_BYTES',
      'PART_BYTES',
      'STACK_NAME',
    );
    const policy = runtime.policy();
    const kms = runtime.kms();
    const secretsManager = runtime.secretsManager();
    const s3 = runtime.s3();
    const sqs = runtime.sqs();
    const dynamodb = runtime.dynamodb();
    return {
      s3,
      sqs,
      policy,
      policyFingerprint: policyFingerprint(policy),
      targetBucket: env.TARGET_BUCKET,
      targetBucketOwner: env.TARGET_BUCKET_OWNER,
      ingestBucketOwner: env.INGEST_BUCKET_OWNER,
      kmsKeyArn: env.KMS_KEY_ARN,
      managedKeyArn: createManagedKey(kms),
      customerKeys: createCustomerKeys({ secretsManager, secretId: env.CUSTOMER_KEY_SECRET }),
      ...(namesMode(policy, 'cse-aes')
        ? { wrappingKeys: createWrappingKeys({ secretsManager, secretId: runtime.environment('WRAPPING_KEY_SECRET').WRAPPING_KEY_SECRET }) }
        : {}),
      sealer: createSealer(kms),
      ...(decryptsSources(policy)
        ? { decryptor: createDecryptor({ policy, kms, secretsManager, secretId: runtime.optionalEnvironment('SOURCE_KEY_SECRET') }) }
        : {}),
      trail: createAuditTrail(dynamodb, env.AUDIT_TABLE),
      records: createObjectRecords(dynamodb, env.AUDIT_TABLE),
      limits: {
        partsAboveBytes: positiveInteger('PARTS_ABOVE_BYTES', env.PARTS_ABOVE_BYTES),
        partBytes: positiveInteger('PART_BYTES', env.PART_BYTES),
      },
      requireVersioning: createVersioningCheck({ s3, policy, ingestBucketOwner: env.INGEST_BUCKET_OWNER }),
      continuations: createContinuations(sqs, env.INGEST_QUEUE_URL),
      deadLetters: createDeadLetters(sqs, env.DEAD_LETTER_QUEUE_URL),
      queueUrl: env.INGEST_QUEUE_URL,
      maxReceiveCount: positiveInteger('MAX_RECEIVE_COUNT', env.MAX_RECEIVE_COUNT),
      metrics: createMetrics({ stack: env.STACK_NAME, write: runtime.print }),
      log: createLog('encrypt'),
    };
  }),
);
