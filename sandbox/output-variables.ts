/** The stack's outputs as variables of a shell. */

/** Under which name the environment has an output of the stack. */
const OUTPUT_VARIABLES: Record<string, string> = {
  IngestBucketName: 'SEALDROP_INGEST_BUCKET',
  TargetBucketName: 'SEALDROP_TARGET_BUCKET',
  AuditTableName: 'SEALDROP_AUDIT_TABLE',
  IngestQueueUrl: 'SEALDROP_QUEUE_URL',
  DeadLetterQueueUrl: 'SEALDROP_DEAD_LETTER_QUEUE_URL',
  CustomerKeySecret: 'SEALDROP_CUSTOMER_KEY_SECRET',
  WrappingKeySecret: 'SEALDROP_WRAPPING_KEY_SECRET',
  KeyArn: 'SEALDROP_KMS_KEY_ARN',
  AuditBucketName: 'SEALDROP_AUDIT_BUCKET',
  TargetEventsQueueUrl: 'SEALDROP_TARGET_EVENTS_QUEUE_URL',
  TargetEventsDeadLetterQueueUrl: 'SEALDROP_TARGET_EVENTS_DEAD_LETTER_QUEUE_URL',
  TransitBucketName: 'SEALDROP_TRANSIT_BUCKET',
  TransitQueueUrl: 'SEALDROP_TRANSIT_QUEUE_URL',
  TransitDeadLetterQueueUrl: 'SEALDROP_TRANSIT_DEAD_LETTER_QUEUE_URL',
};

export function namedOutputs(outputs: Record<string, string>): Record<string, string> {
  const named = Object.entries(OUTPUT_VARIABLES).map(([output, variable]) => [variable, outputs[output]] as const);
  return Object.fromEntries(named.flatMap(([variable, value]) => (value === undefined ? [] : [[variable, value] as const])));
}
