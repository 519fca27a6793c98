/** Events of the target bucket → what others did to it, in the audit trail. */
import type { SQSBatchResponse } from 'aws-lambda';
import * as runtime from '../src/runtime.ts';

export const createHandler =
  (deps: () => Record<string, string>) =>
  async (_event: unknown): Promise<SQSBatchResponse> => {
    deps();
    return { batchItemFailures: [] };
  };

export const handler = createHandler(
  runtime.lazily(() =>
    runtime.environment(
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
    ),
  ),
);
