/** Which events a bucket sends where. */
import { z } from 'zod';
import { invalidArgument, notImplemented } from '../errors.ts';
import type { XmlMembers } from '../xml.ts';
import { list, members, rename, text } from './shapes.ts';

/** What this sandbox sends or, where lifecycle rules would cause it, at least takes; S3 knows more. @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html */
export const EVENT_TYPES = [
  's3:ObjectCreated:*',
  's3:ObjectCreated:Put',
  's3:ObjectCreated:Copy',
  's3:ObjectCreated:CompleteMultipartUpload',
  's3:ObjectRemoved:*',
  's3:ObjectRemoved:Delete',
  's3:ObjectRemoved:DeleteMarkerCreated',
  's3:LifecycleExpiration:*',
  's3:LifecycleExpiration:Delete',
  's3:LifecycleExpiration:DeleteMarkerCreated',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

const filterRule = z.strictObject({ Name: z.string(), Value: text });
const target = z.strictObject({
  Id: z.string().max(255).optional(),
  QueueArn: z.string(),
  Events: z.array(z.string()).min(1),
  Filter: z.strictObject({ Key: z.strictObject({ FilterRules: z.array(filterRule).optional() }).optional() }).optional(),
});

export const notificationSchema = z.strictObject({
  QueueConfigurations: z.array(target).optional(),
  TopicConfigurations: z.array(z.unknown()).optional(),
  LambdaFunctionConfigurations: z.array(z.unknown()).optional(),
  EventBridgeConfiguration: z.unknown().optional(),
});
/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_NotificationConfiguration.html */
export type NotificationConfiguration = z.infer<typeof notificationSchema>;
export type QueueTarget = z.infer<typeof target>;

/** Throws AwsError for what S3 refuses, and 501 for targets and events that this sandbox does not send. */
export function checkNotification(configuration: NotificationConfiguration): void {
  if (configuration.TopicConfigurations?.length) throw notImplemented('notifications to topics');
  if (configuration.LambdaFunctionConfigurations?.length) throw notImplemented('notifications to functions');
  if (configuration.EventBridgeConfiguration !== undefined) throw notImplemented('notifications to EventBridge');
  const targets = configuration.QueueConfigurations ?? [];
  for (const { QueueArn, Events, Filter } of targets) {
    if (!/^arn:[^:]+:sqs:[^:]+:\d{12}:[\w.-]+$/.test(QueueArn)) throw invalidArgument('The ARN could not be parsed', 'Queue', QueueArn);
    for (const event of Events) {
      if (!event.startsWith('s3:')) throw invalidArgument('The event is not supported for notifications', 'Event', event);
      if (!EVENT_TYPES.some((known) => known === event)) throw notImplemented(`the event ${event}`);
    }
    for (const { Name } of Filter?.Key?.FilterRules ?? []) {
      if (!['prefix', 'suffix'].includes(Name.toLowerCase())) {
        throw invalidArgument('filter rule name must be either prefix or suffix', 'FilterRule.Name', Name);
      }
    }
  }
  targets.forEach((one, index) => {
    if (targets.slice(index + 1).some((other) => overlap(one, other))) {
      const message = 'Configurations overlap. Configurations on the same bucket cannot share a common event type.';
      throw invalidArgument(message, 'Configuration');
    }
  });
}

/** The key filter of a target; both parts are empty strings when it has none. */
export function filterOf({ Filter }: QueueTarget): { prefix: string; suffix: string } {
  const find = (name: string) => Filter?.Key?.FilterRules?.find((rule) => rule.Name.toLowerCase() === name)?.Value ?? '';
  return { prefix: find('prefix'), suffix: find('suffix') };
}

/** True when a configured event (possibly `…:*`) covers what happened. */
export function covers(configured: string, happened: string): boolean {
  return configured === happened || (configured.endsWith(':*') && happened.startsWith(configured.slice(0, -1)));
}

export function notificationFromXml(element: unknown): unknown {
  const configuration = rename(element, {
    QueueConfiguration: 'QueueConfigurations',
    TopicConfiguration: 'TopicConfigurations',
    CloudFunctionConfiguration: 'LambdaFunctionConfigurations',
  });
  if (configuration.QueueConfigurations !== undefined) {
    configuration.QueueConfigurations = list(configuration.QueueConfigurations).map((each) => {
      const queue = rename(each, { Queue: 'QueueArn', Event: 'Events' });
      if (queue.Filter !== undefined) {
        queue.Filter = rename(queue.Filter, { S3Key: 'Key' });
        queue.Filter = { Key: rename(members(queue.Filter).Key, { FilterRule: 'FilterRules' }) };
      }
      return queue;
    });
  }
  return configuration;
}

export function notificationToXml({ QueueConfigurations = [] }: NotificationConfiguration): XmlMembers {
  return {
    QueueConfiguration: QueueConfigurations.map(({ Id, QueueArn, Events, Filter }) => ({
      Id,
      Queue: QueueArn,
      Event: Events,
      Filter: Filter && { S3Key: { FilterRule: Filter.Key?.FilterRules } },
    })),
  };
}

function overlap(one: QueueTarget, other: QueueTarget): boolean {
  const sharesEvent = one.Events.some((a) => other.Events.some((b) => covers(a, b) || covers(b, a)));
  const [a, b] = [filterOf(one), filterOf(other)];
  const prefixes = a.prefix.startsWith(b.prefix) || b.prefix.startsWith(a.prefix);
  const suffixes = a.suffix.endsWith(b.suffix) || b.suffix.endsWith(a.suffix);
  return sharesEvent && prefixes && suffixes;
}
