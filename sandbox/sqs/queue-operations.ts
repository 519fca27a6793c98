/** Operations on queues themselves. */
import { z } from 'zod';
import { ACCOUNT_ID } from '../account.ts';
import { type JsonOperation, operation } from '../wire/json-service.ts';
import { stringMap } from '../wire/members.ts';
import { allowsRedriveFrom, effectiveAttributes, parseAttributes, type QueueAttributes, redrivePolicyOf } from './attributes.ts';
import { invalidParameter, purgeInProgress, queueDoesNotExist, queueNameExists, unknownAttribute } from './errors.ts';
import type { MessageStore } from './message-store.ts';
import { askQueueAt, askQueueNamed } from './queue-access.ts';
import { assertQueueName, type Queue, type QueueStore, queueArn } from './queue-store.ts';

export type QueueOperation =
  | 'CreateQueue'
  | 'DeleteQueue'
  | 'GetQueueUrl'
  | 'ListQueues'
  | 'GetQueueAttributes'
  | 'SetQueueAttributes'
  | 'PurgeQueue'
  | 'TagQueue'
  | 'UntagQueue'
  | 'ListQueueTags'
  | 'ListDeadLetterSourceQueues';

/** @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_PurgeQueue.html */
const PURGE_INTERVAL_MS = 60_000;
const MAX_LISTED = 1000;
const COMPUTED = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesDelayed',
  'ApproximateNumberOfMessagesNotVisible',
  'CreatedTimestamp',
  'LastModifiedTimestamp',
  'QueueArn',
];
const NAMES = ['All', ...COMPUTED, ...Object.keys(effectiveAttributes({})), 'Policy', 'RedriveAllowPolicy', 'RedrivePolicy'];
const url = z.string();
const listing = { NextToken: z.string().default(''), MaxResults: z.int().min(1).max(MAX_LISTED).optional() };

export function queueOperations(queues: QueueStore, messages: MessageStore): Record<QueueOperation, JsonOperation> {
  const purgedMs = new Map<number, number>();
  const ask = ({ QueueUrl }: { QueueUrl: string }) => [askQueueAt(queues, QueueUrl)];

  /** Throws `InvalidParameterValue` when the dead-letter queue is missing or does not allow it. */
  function assertRedrive(attributes: QueueAttributes, sourceArn: string): void {
    const policy = redrivePolicyOf(attributes);
    if (!policy) return;
    const target = queues.findByArn(policy.deadLetterTargetArn);
    const prefix = `Value ${attributes.RedrivePolicy} for parameter RedrivePolicy is invalid. Reason:`;
    if (!target) throw invalidParameter(`${prefix} Dead letter target does not exist.`);
    if (!allowsRedriveFrom(target.attributes, sourceArn)) {
      throw invalidParameter(`${prefix} The dead letter queue does not allow this source queue.`);
    }
  }

  function attributesOf(queue: Queue): Record<string, string> {
    const { visible, notVisible, delayed } = messages.counts(queue);
    return {
      ...effectiveAttributes(queue.attributes),
      ApproximateNumberOfMessages: String(visible),
      ApproximateNumberOfMessagesNotVisible: String(notVisible),
      ApproximateNumberOfMessagesDelayed: String(delayed),
      CreatedTimestamp: String(Math.floor(queue.createdMs / 1000)),
      LastModifiedTimestamp: String(Math.floor(queue.modifiedMs / 1000)),
      QueueArn: queue.arn,
    };
  }

  return {
    CreateQueue: operation(
      'sqs:CreateQueue',
      z.strictObject({ QueueName: z.string(), Attributes: stringMap.default({}), tags: stringMap.default({}) }),
      (input, { host }) => {
        assertQueueName(input.QueueName);
        const attributes = parseAttributes(input.Attributes);
        const existing = queues.find(input.QueueName);
        if (existing) {
          const effective = effectiveAttributes(existing.attributes);
          const different = Object.entries(attributes).find(([name, value]) => (effective[name] ?? '') !== value);
          if (different) throw queueNameExists(different[0]);
          return { QueueUrl: urlOf(existing, host) };
        }
        assertRedrive(attributes, queueArn(input.QueueName));
        return { QueueUrl: urlOf(queues.create(input.QueueName, attributes, input.tags), host) };
      },
      ({ QueueName, tags }) => {
        const asked = askQueueNamed(queues, QueueName);
        return Object.keys(tags).length === 0 ? [asked] : [asked, { ...asked, action: 'sqs:TagQueue' }];
      },
    ),
    DeleteQueue: operation(
      'sqs:DeleteQueue',
      z.strictObject({ QueueUrl: url }),
      (input) => {
        queues.remove(queues.requireByUrl(input.QueueUrl));
        return {};
      },
      ask,
    ),
    GetQueueUrl: operation(
      'sqs:GetQueueUrl',
      z.strictObject({ QueueName: z.string(), QueueOwnerAWSAccountId: z.string().default(ACCOUNT_ID) }),
      (input, { host }) => {
        const queue = input.QueueOwnerAWSAccountId === ACCOUNT_ID ? queues.find(input.QueueName) : null;
        if (!queue) throw queueDoesNotExist();
        return { QueueUrl: urlOf(queue, host) };
      },
      ({ QueueName }) => [askQueueNamed(queues, QueueName)],
    ),
    ListQueues: operation('sqs:ListQueues', z.strictObject({ QueueNamePrefix: z.string().default(''), ...listing }), (input, { host }) => {
      const limit = input.MaxResults ?? MAX_LISTED;
      const found = queues.list(input.QueueNamePrefix, fromToken(input.NextToken), limit + 1);
      return paged('QueueUrls', found, limit, host, input.MaxResults !== undefined);
    }),
    GetQueueAttributes: operation(
      'sqs:GetQueueAttributes',
      z.strictObject({ QueueUrl: url, AttributeNames: z.array(z.string()).default([]) }),
      (input) => {
        const queue = queues.requireByUrl(input.QueueUrl);
        const unknown = input.AttributeNames.find((name) => !NAMES.includes(name));
        if (unknown !== undefined) throw unknownAttribute(unknown);
        const wanted = (name: string) => input.AttributeNames.includes('All') || input.AttributeNames.includes(name);
        const entries = Object.entries(attributesOf(queue)).filter(([name]) => wanted(name));
        return entries.length === 0 ? {} : { Attributes: Object.fromEntries(entries) };
      },
      ask,
    ),
    SetQueueAttributes: operation(
      'sqs:SetQueueAttributes',
      z.strictObject({ QueueUrl: url, Attributes: stringMap }),
      (input) => {
        const queue = queues.requireByUrl(input.QueueUrl);
        const attributes = parseAttributes(input.Attributes);
        assertRedrive(attributes, queue.arn);
        queues.update(queue, { attributes: { ...queue.attributes, ...attributes } });
        return {};
      },
      ask,
    ),
    PurgeQueue: operation(
      'sqs:PurgeQueue',
      z.strictObject({ QueueUrl: url }),
      (input) => {
        const queue = queues.requireByUrl(input.QueueUrl);
        if (Date.now() - (purgedMs.get(queue.id) ?? 0) < PURGE_INTERVAL_MS) throw purgeInProgress(queue.name);
        purgedMs.set(queue.id, Date.now());
        messages.purge(queue);
        return {};
      },
      ask,
    ),
    TagQueue: operation(
      'sqs:TagQueue',
      z.strictObject({ QueueUrl: url, Tags: stringMap }),
      (input) => {
        const queue = queues.requireByUrl(input.QueueUrl);
        queues.update(queue, { tags: { ...queue.tags, ...input.Tags } });
        return {};
      },
      ask,
    ),
    UntagQueue: operation(
      'sqs:UntagQueue',
      z.strictObject({ QueueUrl: url, TagKeys: z.array(z.string()) }),
      (input) => {
        const queue = queues.requireByUrl(input.QueueUrl);
        queues.update(queue, { tags: Object.fromEntries(Object.entries(queue.tags).filter(([key]) => !input.TagKeys.includes(key))) });
        return {};
      },
      ask,
    ),
    ListQueueTags: operation(
      'sqs:ListQueueTags',
      z.strictObject({ QueueUrl: url }),
      (input) => {
        const { tags } = queues.requireByUrl(input.QueueUrl);
        return Object.keys(tags).length === 0 ? {} : { Tags: tags };
      },
      ask,
    ),
    ListDeadLetterSourceQueues: operation(
      'sqs:ListDeadLetterSourceQueues',
      z.strictObject({ QueueUrl: url, ...listing }),
      (input, { host }) => {
        const { arn } = queues.requireByUrl(input.QueueUrl);
        const limit = input.MaxResults ?? MAX_LISTED;
        const sources = queues
          .list('', fromToken(input.NextToken), Number.POSITIVE_INFINITY)
          .filter(({ attributes }) => redrivePolicyOf(attributes)?.deadLetterTargetArn === arn);
        return paged('queueUrls', sources, limit, host, input.MaxResults !== undefined);
      },
      ask,
    ),
  };
}

function urlOf(queue: Queue, host: string): string {
  return `http://${host}/${ACCOUNT_ID}/${queue.name}`;
}

/** SQS gives a token only to callers that asked for pages. */
function paged(member: string, found: Queue[], limit: number, host: string, withToken: boolean) {
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  const urls = shown.map((queue) => urlOf(queue, host));
  return withToken && found.length > limit && last
    ? { [member]: urls, NextToken: Buffer.from(last.name).toString('base64') }
    : { [member]: urls };
}

function fromToken(token: string): string {
  return Buffer.from(token, 'base64').toString();
}
