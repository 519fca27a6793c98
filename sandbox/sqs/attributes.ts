/** Which attributes a queue has, what they may be and what they are unless set. */
import { AwsError } from '../aws-error.ts';
import { PolicyError, parsePolicy } from '../iam/policy.ts';
import { invalidAttribute, invalidParameter, invalidPolicy, unknownAttribute, unsupported } from './errors.ts';

export type SettableAttribute =
  | 'DelaySeconds'
  | 'MaximumMessageSize'
  | 'MessageRetentionPeriod'
  | 'Policy'
  | 'ReceiveMessageWaitTimeSeconds'
  | 'RedriveAllowPolicy'
  | 'RedrivePolicy'
  | 'SqsManagedSseEnabled'
  | 'VisibilityTimeout';

export type QueueAttributes = Partial<Record<SettableAttribute, string>>;

export interface RedrivePolicy {
  deadLetterTargetArn: string;
  maxReceiveCount: number;
}

const FIFO_ATTRIBUTES = ['FifoQueue', 'ContentBasedDeduplication', 'DeduplicationScope', 'FifoThroughputLimit'];
const KMS_ATTRIBUTES = ['KmsMasterKeyId', 'KmsDataKeyReusePeriodSeconds'];

/** @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html */
const RULES: Record<SettableAttribute, { initial: string | null; accepts: (value: string) => boolean }> = {
  DelaySeconds: { initial: '0', accepts: wholeNumber(0, 900) },
  MaximumMessageSize: { initial: '1048576', accepts: wholeNumber(1024, 1_048_576) },
  MessageRetentionPeriod: { initial: '345600', accepts: wholeNumber(60, 1_209_600) },
  Policy: { initial: null, accepts: (value) => value === '' || parseObject(value) !== null },
  ReceiveMessageWaitTimeSeconds: { initial: '0', accepts: wholeNumber(0, 20) },
  RedriveAllowPolicy: { initial: null, accepts: (value) => value === '' || parseObject(value) !== null },
  RedrivePolicy: { initial: null, accepts: (value) => value === '' || redrivePolicyOf({ RedrivePolicy: value }) !== null },
  SqsManagedSseEnabled: { initial: 'true', accepts: (value) => value === 'true' || value === 'false' },
  VisibilityTimeout: { initial: '30', accepts: wholeNumber(0, 43_200) },
};

/** Throws `InvalidAttributeName`, `InvalidAttributeValue`, or what says that the sandbox has no FIFO queues and no SSE-KMS. */
export function parseAttributes(given: Record<string, string>): QueueAttributes {
  const attributes: QueueAttributes = {};
  for (const [name, value] of Object.entries(given)) {
    if (FIFO_ATTRIBUTES.includes(name)) throw unsupported('The sandbox has standard queues only, no FIFO queues.');
    if (KMS_ATTRIBUTES.includes(name))
      throw new AwsError(501, 'NotImplemented', `The sandbox does not implement the attribute ${name}: queues use SSE-SQS.`);
    if (!isSettable(name)) throw unknownAttribute(name);
    if (!RULES[name].accepts(value)) {
      throw name === 'RedrivePolicy'
        ? invalidParameter(
            `Value ${value} for parameter RedrivePolicy is invalid. Reason: It must name deadLetterTargetArn and maxReceiveCount from 1 to 1000.`,
          )
        : invalidAttribute(name);
    }
    if (name === 'Policy' && value !== '') assertPolicy(value);
    attributes[name] = value;
  }
  return attributes;
}

/** With the initial values of those that have one; an attribute set to the empty text is not there. */
export function effectiveAttributes(set: QueueAttributes): Record<string, string> {
  const effective: Record<string, string> = {};
  for (const [name, { initial }] of Object.entries(RULES)) {
    const value = isSettable(name) ? (set[name] ?? initial) : initial;
    if (value !== null && value !== '') effective[name] = value;
  }
  return effective;
}

/** An attribute that has an initial value, as a number. */
export function numberOf(
  set: QueueAttributes,
  name: 'DelaySeconds' | 'MaximumMessageSize' | 'MessageRetentionPeriod' | 'ReceiveMessageWaitTimeSeconds' | 'VisibilityTimeout',
): number {
  return Number(set[name] ?? RULES[name].initial);
}

/** `null`: the queue has no dead-letter queue (or what was given is no redrive policy). */
export function redrivePolicyOf({ RedrivePolicy: text }: QueueAttributes): RedrivePolicy | null {
  const policy = text ? parseObject(text) : null;
  if (!policy || typeof policy.deadLetterTargetArn !== 'string') return null;
  // AWS takes the count as a number or as text, and gives it back as it came.
  const maxReceiveCount = Number(policy.maxReceiveCount);
  if (!Number.isInteger(maxReceiveCount) || maxReceiveCount < 1 || maxReceiveCount > 1000) return null;
  return { deadLetterTargetArn: policy.deadLetterTargetArn, maxReceiveCount };
}

/** Whether the queue with these attributes lets the queue `sourceArn` use it for dead letters. */
export function allowsRedriveFrom({ RedriveAllowPolicy: text }: QueueAttributes, sourceArn: string): boolean {
  const policy = text ? parseObject(text) : null;
  if (policy?.redrivePermission === 'denyAll') return false;
  if (policy?.redrivePermission !== 'byQueue') return true;
  return Array.isArray(policy.sourceQueueArns) && policy.sourceQueueArns.includes(sourceArn);
}

function assertPolicy(text: string): void {
  try {
    parsePolicy(text, 'resource');
  } catch (error) {
    throw error instanceof PolicyError ? invalidPolicy(error.message) : error;
  }
}

function isSettable(name: string): name is SettableAttribute {
  return Object.hasOwn(RULES, name);
}

function wholeNumber(min: number, max: number): (value: string) => boolean {
  return (value) => /^\d{1,10}$/.test(value) && Number(value) >= min && Number(value) <= max;
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}
