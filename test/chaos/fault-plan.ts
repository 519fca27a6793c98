/** All faults at once. Each has an end, so that what can heal does. */
import type { FaultPlan, FaultRule } from '../../sandbox/index.ts';

const COPIES = ['CopyObject', 'UploadPartCopy', 'CompleteMultipartUpload'];
const BEGINS_OBJECT = ['CopyObject', 'CreateMultipartUpload'];

/** Of the ingest queue's name. */
const INGEST_QUEUE = 'ingest-000000000000-us-east-1';

/** @param states how many events there will be: faults grow with them */
export function planFaults(states: number, seed: number): FaultPlan {
  const share = (part: number) => Math.max(2, Math.ceil(states * part));
  const error = (code: string, status: number) => ({ kind: 'error', code, status }) as const;
  /** Longer than the SDK's own patience: what it hits fails. */
  const outage = (id: string, rule: Pick<FaultRule, 'service' | 'operation' | 'fault'>, after: number, count: number): FaultRule => ({
    id: `outage of ${id}`,
    probability: 0.9,
    after: share(after),
    count: share(count),
    ...rule,
  });
  const rules: FaultRule[] = [
    { id: 'killed before', fault: { kind: 'kill', when: 'before' }, probability: 0.002, count: share(0.01) },
    { id: 'killed after', fault: { kind: 'kill', when: 'after' }, probability: 0.002, count: share(0.01) },

    {
      id: 'silent',
      service: 's3',
      operation: BEGINS_OBJECT,
      fault: { kind: 'ignore-encryption', answer: 'silent' },
      probability: 0.006,
      count: share(0.01),
    },
    {
      id: 'other mode',
      service: 's3',
      operation: BEGINS_OBJECT,
      fault: { kind: 'ignore-encryption', answer: 'other-mode' },
      probability: 0.003,
      count: share(0.005),
    },
    {
      id: 'other key',
      service: 's3',
      operation: BEGINS_OBJECT,
      fault: { kind: 'ignore-encryption', answer: 'other-key' },
      probability: 0.003,
      count: share(0.005),
    },
    { id: 'wrong checksum', service: 's3', operation: COPIES, fault: { kind: 'wrong-checksum' }, probability: 0.005, count: share(0.01) },

    outage('copies', { service: 's3', operation: 'CopyObject', fault: error('SlowDown', 503) }, 0.2, 0.03),
    outage('parts', { service: 's3', operation: 'UploadPartCopy', fault: error('InternalError', 500) }, 0.3, 0.02),
    { id: 'slow down', service: 's3', fault: error('SlowDown', 503), probability: 0.02, count: share(0.05) },
    { id: 'internal error', service: 's3', fault: error('InternalError', 500), probability: 0.02, count: share(0.05) },
    {
      id: 'error in 200',
      service: 's3',
      operation: COPIES,
      fault: { kind: 'error-in-200', code: 'InternalError' },
      probability: 0.02,
      count: share(0.04),
    },
    {
      id: 'slow down in 200',
      service: 's3',
      operation: COPIES,
      fault: { kind: 'error-in-200', code: 'SlowDown' },
      probability: 0.02,
      count: share(0.04),
    },
    { id: 'reset before', service: 's3', fault: { kind: 'reset', when: 'before' }, probability: 0.01, count: share(0.03) },
    { id: 'reset after', service: 's3', fault: { kind: 'reset', when: 'after' }, probability: 0.02, count: share(0.04) },
    { id: 'reset mid-body', service: 's3', fault: { kind: 'reset', when: 'mid-body' }, probability: 0.01, count: share(0.03) },
    { id: 'slow', service: 's3', fault: { kind: 'slow', latencyMs: 300 }, probability: 0.03, count: share(0.05) },
    {
      id: 'slow parts',
      service: 's3',
      operation: 'UploadPartCopy',
      fault: { kind: 'slow', latencyMs: 5_000 },
      probability: 0.1,
      count: share(0.05),
    },

    { id: 'KMS throttles', service: 'kms', fault: error('ThrottlingException', 400), probability: 0.03, count: share(0.04) },
    outage('KMS', { service: 'kms', fault: error('KMSInternalException', 500) }, 0.5, 0.02),
    {
      id: 'secret missing',
      service: 'secretsmanager',
      fault: error('ResourceNotFoundException', 400),
      probability: 0.2,
      count: share(0.002),
    },
    { id: 'secrets throttled', service: 'secretsmanager', fault: error('ThrottlingException', 400), probability: 0.3, count: share(0.005) },

    {
      id: 'table throttled',
      service: 'dynamodb',
      fault: error('ProvisionedThroughputExceededException', 400),
      probability: 0.03,
      count: share(0.05),
    },
    outage('the table', { service: 'dynamodb', fault: error('ThrottlingException', 400) }, 0.4, 0.01),
    { id: 'table fails', service: 'dynamodb', fault: error('InternalServerError', 500), probability: 0.01, count: share(0.02) },
    { id: 'table resets', service: 'dynamodb', fault: { kind: 'reset', when: 'after' }, probability: 0.01, count: share(0.02) },
    { id: 'table slow', service: 'dynamodb', fault: { kind: 'slow', latencyMs: 1_000 }, probability: 0.01, count: share(0.01) },
    { id: 'queue throttled', service: 'sqs', fault: error('ThrottlingException', 400), probability: 0.1, count: share(0.02) },
    { id: 'queue resets', service: 'sqs', fault: { kind: 'reset', when: 'after' }, probability: 0.05, count: share(0.01) },
  ];
  const events: FaultRule[] = [
    { id: 'twice', fault: { kind: 'duplicate', times: 1 }, probability: 0.06, count: share(0.06) },
    { id: 'four times', fault: { kind: 'duplicate', times: 3 }, probability: 0.01, count: share(0.01) },
    { id: 'late', fault: { kind: 'delay', seconds: 3 }, probability: 0.2 },
    { id: 'very late', fault: { kind: 'delay', seconds: 12 }, probability: 0.03 },
  ];
  return {
    seed,
    rules: [
      ...rules.map((rule): FaultRule => ({ ...rule, caller: 'encrypt' })),
      ...events.map((rule): FaultRule => ({ ...rule, service: 's3', queue: INGEST_QUEUE })),
    ],
  };
}
