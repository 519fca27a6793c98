/** What each function is told. Each declares only what it needs. */
import { decryptsSources } from '../src/policy/keys.ts';
import { att, ref, sub, type Text } from './cloudformation.ts';
import { customerKeySecret, stackKey, wrappingKeySecret } from './keys-in-use.ts';
import { bucketName, type FunctionName, roleId, tableName, targetOwner } from './names.ts';
import { type QueueDefinition, queueDefinitions } from './queues.ts';
import type { Stack } from './stack.ts';

/** A copy's record is written after its whole batch, which may take the function's five minutes and one more try. */
const RECORD_GRACE_SECONDS = 900;

export function environment(stack: Stack): Record<FunctionName, Record<string, Text>> {
  const target = { TARGET_BUCKET: sub(bucketName(stack, 'target')), TARGET_BUCKET_OWNER: sub(targetOwner(stack)) };
  const table = { AUDIT_TABLE: sub(tableName(stack)) };
  const stackName = { STACK_NAME: ref('AWS::StackName') };
  const serving = { ...target, ...table, ...stackName };
  const parts = { PARTS_ABOVE_BYTES: ref('PartsAboveBytes'), PART_BYTES: ref('PartBytes') };
  const wrapping = wrappingKeySecret(stack);
  const wrappingKey: Record<string, Text> = wrapping === null ? {} : { WRAPPING_KEY_SECRET: wrapping };
  const queues = queueDefinitions(stack);
  const transit = queues.transit && {
    TRANSIT_BUCKET: sub(bucketName(stack, 'transit')),
    TRANSIT_BUCKET_OWNER: ref('AWS::AccountId'),
    TRANSIT_QUEUE_URL: ref(queues.transit.queueId),
  };
  return {
    encrypt: {
      ...serving,
      INGEST_BUCKET_OWNER: ref('AWS::AccountId'),
      INGEST_QUEUE_URL: ref(queues.ingest.queueId),
      ...deadLetters(queues.ingest),
      ...parts,
      KMS_KEY_ARN: stackKey(stack),
      CUSTOMER_KEY_SECRET: customerKeySecret(stack),
      ...wrappingKey,
      ...(stack.settings.sourceKeySecret === null || !decryptsSources(stack.policy)
        ? {}
        : { SOURCE_KEY_SECRET: stack.settings.sourceKeySecret }),
    },
    audit: {
      ...serving,
      TARGET_EVENTS_QUEUE_URL: ref(queues['target-events'].queueId),
      ...deadLetters(queues['target-events']),
      KMS_KEY_ARN: stackKey(stack),
      ENCRYPT_ROLE_ID: att(roleId('encrypt'), 'RoleId'),
      RECORD_GRACE_SECONDS: String(RECORD_GRACE_SECONDS),
    },
    authorize: { OIDC_ISSUER: ref('OidcIssuer'), OIDC_AUDIENCE: ref('OidcAudience') },
    download: {
      ...serving,
      KMS_KEY_ARN: stackKey(stack),
      CUSTOMER_KEY_SECRET: customerKeySecret(stack),
      ...wrappingKey,
      REDIRECT_ABOVE_BYTES: ref('RedirectAboveBytes'),
      ...(transit && { ...transit, MAX_STREAMED_BYTES: ref('MaxStreamedBytes') }),
    },
    list: serving,
    history: serving,
    health: {},
    share: serving,
    transit:
      queues.transit === undefined
        ? {}
        : {
            ...serving,
            ...transit,
            ...deadLetters(queues.transit),
            ...parts,
            KMS_KEY_ARN: stackKey(stack),
            CUSTOMER_KEY_SECRET: customerKeySecret(stack),
          },
  };
}

function deadLetters({ deadLettersId, maxReceiveCount }: QueueDefinition): Record<string, Text> {
  return { DEAD_LETTER_QUEUE_URL: ref(deadLettersId), MAX_RECEIVE_COUNT: String(maxReceiveCount) };
}
