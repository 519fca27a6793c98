/** Who hears of what happens in the buckets. */
import { GetBucketNotificationConfigurationCommand, type QueueConfiguration } from '@aws-sdk/client-s3';
import { awsCommand } from '../aws-command.ts';
import type { DoctorContext } from '../context.ts';
import { error, type Finding, warning } from '../finding.ts';
import { look } from '../look.ts';
import { otherStage, queueArn } from '../names.ts';
import { matches } from '../policy-document.ts';
import { addressOf, type BucketUnderCheck, question } from './bucket.ts';

/** What each bucket must tell, and to which queue. */
function wanted({ stack }: DoctorContext, { subject }: BucketUnderCheck): { events: `s3:${string}`[]; queue: string } | null {
  switch (subject) {
    case 'ingest-bucket':
      return { events: ['s3:ObjectCreated:*'], queue: queueArn(stack, stack.ingestQueueUrl) };
    case 'target-bucket':
      return {
        events: ['s3:ObjectCreated:*', 's3:ObjectRemoved:*', 's3:LifecycleExpiration:*'],
        queue: queueArn(stack, stack.targetEventsQueueUrl),
      };
    case 'audit-bucket':
      return null;
    default:
      return subject satisfies never;
  }
}

export async function checkNotifications(context: DoctorContext, bucket: BucketUnderCheck): Promise<Finding[]> {
  const { subject, name } = bucket;
  const target = wanted(context, bucket);
  if (target === null) return [];
  return look(
    question(bucket, 's3:GetBucketNotification'),
    () => context.clients.s3.send(new GetBucketNotificationConfigurationCommand(addressOf(bucket))),
    ({ $metadata: _, QueueConfigurations: queues = [], ...others }) => {
      const findings: Finding[] = [];
      const strangers = queues.flatMap(({ QueueArn = '' }) => otherStage(context.stack, QueueArn) ?? []);
      if (strangers.length > 0)
        findings.push(
          error(`${subject}.shared-with-another-stage`, {
            resource: name,
            what: `the bucket also tells the stage ${[...new Set(strangers)].join(', ')}: two stages share it`,
            nextStep: 'Give each stage a bucket of its own, and take the other one out of the notifications of this one.',
            evidence: { queues: queues.map(({ QueueArn }) => QueueArn) },
          }),
        );
      const ours = queues.filter(({ QueueArn }) => QueueArn === target.queue);
      const untold = target.events.filter((event) => !ours.some(({ Events = [] }) => Events.some((told) => matches(told, event))));
      const partly = ours.filter(({ Filter }) => (Filter?.Key?.FilterRules ?? []).some(({ Value = '' }) => Value !== ''));
      if (untold.length > 0) {
        const kept = queues.filter((queue) => queue.QueueArn !== target.queue && otherStage(context.stack, queue.QueueArn ?? '') === null);
        findings.push(
          error(`${subject}.not-notified`, {
            resource: name,
            what: `the bucket does not tell ${target.queue} of ${untold.join(', ')}${tellsOther(others)}`,
            nextStep: 'Send these events to the queue.',
            command: awsCommand('s3api', 'put-bucket-notification-configuration', {
              bucket: name,
              'notification-configuration': {
                ...others,
                QueueConfigurations: [...kept, { Id: 'sealdrop', QueueArn: target.queue, Events: target.events } satisfies Configuration],
              },
            }),
            evidence: { missing: untold, queue: target.queue, queues },
          }),
        );
      } else if (partly.length > 0) {
        findings.push(
          warning(`${subject}.partly-notified`, {
            resource: name,
            what: `the bucket tells ${target.queue} of some keys only`,
            nextStep: 'Take the filter away, unless other objects shall stay as they are.',
            evidence: { filters: partly.map(({ Filter }) => Filter) },
          }),
        );
      }
      return findings;
    },
  );
}

type Configuration = { Id: string; QueueArn: string; Events: QueueConfiguration['Events'] | string[] };

/** S3 lets one destination hear of the same event and key: another one must give way. */
function tellsOther(others: object): string {
  const kinds = Object.entries(others).flatMap(([kind, value]) => (Array.isArray(value) && value.length > 0 ? [kind] : []));
  return kinds.length > 0 ? `; it has ${kinds.join(', ')}, which must not overlap` : '';
}
