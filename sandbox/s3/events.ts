/** Event notifications, in S3's JSON. */

import { ACCOUNT_ID, REGION } from '../account.ts';
import { AwsError } from '../aws-error.ts';
import type { EventSource, NotificationSink } from '../service.ts';
import { covers, type EventType, filterOf, type NotificationConfiguration } from './bucket/notification-configuration.ts';
import { bucketArn } from './encryption/mode.ts';
import { formEncode } from './form-encoding.ts';
import type { Call } from './room.ts';
import type { Bucket } from './store/buckets.ts';
import { NULL_VERSION } from './store/objects.ts';

const EVENT_VERSION = '2.1';
const SEQUENCER_DIGITS = 18;
const NO_QUEUE = 'QueueDoesNotExist';
const QUEUE_REFUSES = 'Permissions on the destination queue do not allow S3 to publish notifications from this bucket';

export interface ObjectEvent {
  type: Exclude<EventType, `${string}*`>;
  key: string;
  /** `null` in events that carry none. */
  size: number | null;
  etag: string | null;
  version: string;
  /** Rises with every event of a key, across restarts. */
  sequence: number;
}

/**
 * Sends an event to every queue of the bucket that wants it. Call it in the transaction of the write: the object and its
 * event are then stored together or not at all.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
 */
export function sendEvents(call: Call, bucket: Bucket, event: ObjectEvent): void {
  for (const target of bucket.settings.notification?.QueueConfigurations ?? []) {
    const { prefix, suffix } = filterOf(target);
    if (!event.key.startsWith(prefix) || !event.key.endsWith(suffix)) continue;
    if (!target.Events.some((configured) => covers(configured, event.type))) continue;
    deliver(call, bucket, target.QueueArn, { Records: [record(call, bucket, event, target.Id ?? '')] });
  }
}

/** What S3 sends when notifications are configured. Throws AwsError when a queue does not take it. */
export function sendTestEvents(notify: NotificationSink, bucket: string, configuration: NotificationConfiguration): void {
  const refused: Record<string, string> = {};
  for (const [index, { QueueArn }] of (configuration.QueueConfigurations ?? []).entries()) {
    const message = {
      Service: 'Amazon S3',
      Event: 's3:TestEvent',
      Time: new Date().toISOString(),
      Bucket: bucket,
      RequestId: '',
      HostId: '',
    };
    try {
      notify(QueueArn, JSON.stringify(message), sourceOf(bucket));
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      refused[`ArgumentName${index + 1}`] = QueueArn;
      refused[`ArgumentValue${index + 1}`] = error.code === NO_QUEUE ? 'The destination queue does not exist' : QUEUE_REFUSES;
    }
  }
  if (Object.keys(refused).length > 0) {
    throw new AwsError(400, 'InvalidArgument', 'Unable to validate the following destination configurations', refused);
  }
}

/** A queue that is gone, or whose policy refuses by now, does not fail the write: the event is lost, as on AWS. */
function deliver(call: Call, bucket: Bucket, arn: string, message: unknown): void {
  try {
    call.room.notify(arn, JSON.stringify(message), sourceOf(bucket.name));
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
  }
}

/** What a queue's policy judges. @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html */
function sourceOf(bucket: string): EventSource {
  return { service: 's3.amazonaws.com', sourceArn: bucketArn(bucket) };
}

function record(call: Call, bucket: Bucket, event: ObjectEvent, configurationId: string) {
  const { request, response } = call;
  const sourceIPAddress = response.socket?.remoteAddress?.replace(/^::ffff:/, '') ?? '127.0.0.1';
  return {
    eventVersion: EVENT_VERSION,
    eventSource: 'aws:s3',
    awsRegion: REGION,
    eventTime: new Date().toISOString(),
    eventName: event.type.slice('s3:'.length),
    userIdentity: { principalId: `AWS:${call.principal.userId}` },
    requestParameters: { sourceIPAddress },
    responseElements: { 'x-amz-request-id': request.requestId, 'x-amz-id-2': request.requestId },
    s3: {
      s3SchemaVersion: '1.0',
      configurationId,
      bucket: { name: bucket.name, ownerIdentity: { principalId: ACCOUNT_ID }, arn: bucketArn(bucket.name) },
      object: {
        key: formEncode(event.key),
        ...(event.size === null ? {} : { size: event.size }),
        ...(event.etag === null ? {} : { eTag: event.etag }),
        ...(event.version === NULL_VERSION ? {} : { versionId: event.version }),
        sequencer: event.sequence.toString(16).toUpperCase().padStart(SEQUENCER_DIGITS, '0'),
      },
    },
  };
}
