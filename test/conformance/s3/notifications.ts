/** Events of a bucket in a queue. */
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  type Event,
  GetBucketNotificationConfigurationCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { DeleteMessageCommand, ReceiveMessageCommand, SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { Difference, has, matches, refused, same } from '../difference.ts';
import { type Expectation, expectation } from '../expectation.ts';
import type { Stage } from '../stage.ts';
import { copy, put } from './objects.ts';

const CONTENT = ['s3-guide', 'notification-content-structure'] as const;
const TYPES = ['s3-guide', 'notification-how-to-event-types-and-destinations'] as const;
const PATIENCE_MS = 20_000;

interface Notified {
  eventName: string;
  eventVersion: string;
  eventSource: string;
  userIdentity: { principalId: string };
  s3: {
    bucket: { name: string; arn: string };
    object: { key: string; size?: number; eTag?: string; versionId?: string; sequencer: string };
  };
}

export const NOTIFICATIONS: Expectation[] = [
  expectation(
    's3.events.test-event',
    'the first message of a configured queue is s3:TestEvent, without records',
    CONTENT,
    async (stage) => {
      const { Bucket, url } = await subscribe(stage);
      const [message] = await take(stage, url, 1, () => true);
      has('the message', message ?? {}, { Service: 'Amazon S3', Event: 's3:TestEvent', Bucket });
      same('its records', Reflect.get(message ?? {}, 'Records'), undefined);
    },
  ),
  expectation(
    's3.events.put',
    'a put is ObjectCreated:Put with size, ETag without quotes, version and sequencer',
    CONTENT,
    async (stage) => {
      const { Bucket, url } = await subscribe(stage);
      const { answer } = await put(stage, { Bucket, Key: 'folder/a b+é.txt' });
      const [record] = await records(stage, url, 1);
      matches('eventVersion', record?.eventVersion, /^2\.\d+$/);
      has('the record', record ?? {}, { eventName: 'ObjectCreated:Put', eventSource: 'aws:s3' });
      has('its bucket', record?.s3.bucket ?? {}, { name: Bucket, arn: `arn:aws:s3:::${Bucket}` });
      has('its object', record?.s3.object ?? {}, { size: 7, eTag: answer.ETag?.replaceAll('"', ''), versionId: answer.VersionId });
      matches('its sequencer', record?.s3.object.sequencer, /^[0-9A-Fa-f]+$/);
    },
  ),
  expectation('s3.events.key-encoding', 'the key of an event is form-encoded: a space is a plus', CONTENT, async (stage) => {
    const { Bucket, url } = await subscribe(stage);
    await put(stage, { Bucket, Key: 'folder/a b+é.txt' });
    const [record] = await records(stage, url, 1);
    same('the key', record?.s3.object.key, 'folder/a+b%2B%C3%A9.txt');
  }),
  expectation('s3.events.sequencer', 'sequencers of one key grow', CONTENT, async (stage) => {
    const { Bucket, url } = await subscribe(stage);
    const written: (string | undefined)[] = [];
    for (let turn = 0; turn < 3; turn += 1) written.push((await put(stage, { Bucket, Key: 'same' })).answer.VersionId);
    const found = await records(stage, url, 3);
    const inOrder = [...found].sort((a, b) => (padded(a) < padded(b) ? -1 : 1));
    same(
      'the versions by sequencer',
      inOrder.map(({ s3 }) => s3.object.versionId),
      written,
    );
  }),
  expectation('s3.events.copy', 'a copy is ObjectCreated:Copy', TYPES, async (stage) => {
    const { Bucket, url } = await subscribe(stage);
    const { at } = await put(stage);
    await copy(stage, at, { Bucket, Key: 'copy' });
    same(
      'the names',
      (await records(stage, url, 1)).map(({ eventName }) => eventName),
      ['ObjectCreated:Copy'],
    );
  }),
  expectation(
    's3.events.multipart',
    'a finished upload is ObjectCreated:CompleteMultipartUpload, its parts nothing',
    TYPES,
    async (stage) => {
      const { Bucket, url } = await subscribe(stage);
      const at = { Bucket, Key: 'parts' };
      const { UploadId } = await stage.s3.send(new CreateMultipartUploadCommand({ ChecksumAlgorithm: 'CRC32', ...at }));
      const { ETag, ChecksumCRC32 } = await stage.s3.send(new UploadPartCommand({ ...at, UploadId, PartNumber: 1, Body: 'part' }));
      const MultipartUpload = { Parts: [{ PartNumber: 1, ETag, ChecksumCRC32 }] };
      await stage.s3.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload }));
      same(
        'the names',
        (await records(stage, url, 1)).map(({ eventName }) => eventName),
        ['ObjectCreated:CompleteMultipartUpload'],
      );
    },
  ),
  expectation('s3.events.removed', 'a delete marker and a deleted version are events of their own', TYPES, async (stage) => {
    const { Bucket, url } = await subscribe(stage, { Events: ['s3:ObjectRemoved:*'] });
    const { at, answer } = await put(stage, { Bucket });
    const { VersionId } = await stage.s3.send(new DeleteObjectCommand(at));
    await stage.s3.send(new DeleteObjectCommand({ ...at, VersionId: answer.VersionId }));
    const found = (await records(stage, url, 2)).map(({ eventName, s3 }) => [eventName, s3.object.versionId]);
    same('the events', found.sort(), [
      ['ObjectRemoved:Delete', answer.VersionId],
      ['ObjectRemoved:DeleteMarkerCreated', VersionId],
    ]);
  }),
  expectation(
    's3.events.filter',
    'a filter lets through keys with that prefix and suffix',
    ['s3-guide', 'notification-how-to-filtering'],
    async (stage) => {
      const FilterRules = [
        { Name: 'prefix' as const, Value: 'in/' },
        { Name: 'suffix' as const, Value: '.txt' },
      ];
      const { Bucket, url } = await subscribe(stage, { Filter: { Key: { FilterRules } } });
      for (const Key of ['out/a.txt', 'in/a.csv', 'in/a.txt']) await put(stage, { Bucket, Key });
      same(
        'the keys',
        (await records(stage, url, 1)).map(({ s3 }) => s3.object.key),
        ['in/a.txt'],
      );
    },
  ),
  expectation(
    's3.events.kept',
    'the configuration is kept as it was put',
    ['s3-api', 'API_GetBucketNotificationConfiguration'],
    async (stage) => {
      const { Bucket, arn } = await subscribe(stage);
      const { QueueConfigurations } = await stage.s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
      has('it', QueueConfigurations?.[0] ?? {}, { QueueArn: arn, Events: ['s3:ObjectCreated:*'] });
    },
  ),
  expectation('s3.events.principal', 'an event names who caused it by the id that STS gives', CONTENT, async (stage) => {
    const { Bucket, url } = await subscribe(stage);
    await put(stage, { Bucket });
    const [record] = await records(stage, url, 1);
    const { UserId = '' } = await stage.sts.send(new GetCallerIdentityCommand({}));
    matches('principalId', record?.userIdentity.principalId, new RegExp(`^(AWS:)?${UserId}$`));
  }),
  expectation(
    's3.events.queue-policy',
    'a queue whose policy does not let S3 send is refused with InvalidArgument',
    ['s3-guide', 'grant-destinations-permissions-to-s3'],
    async (stage) => {
      const { arn } = await stage.newQueue();
      await refused(configure(stage, await stage.newBucket(), arn), '400 InvalidArgument');
    },
  ),
  expectation(
    's3.events.unknown-queue',
    'a queue that is not there is refused with InvalidArgument',
    ['s3-api', 'API_PutBucketNotificationConfiguration'],
    async (stage) => {
      const Bucket = await stage.newBucket();
      const { arn } = await stage.newQueue();
      await refused(configure(stage, Bucket, `${arn}-missing`), '400 InvalidArgument');
    },
  ),
  expectation(
    's3.events.overlap',
    'two configurations for the same events are refused with InvalidArgument',
    ['s3-guide', 'notification-how-to-filtering'],
    async (stage) => {
      const { Bucket, arn } = await subscribe(stage);
      const queue = { QueueArn: arn, Events: ['s3:ObjectCreated:*' as Event] };
      const NotificationConfiguration = { QueueConfigurations: [queue, { ...queue, Events: ['s3:ObjectCreated:Put' as Event] }] };
      const command = new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration });
      await refused(stage.s3.send(command), '400 InvalidArgument');
    },
  ),
];

interface Wanted {
  Events?: Event[];
  Filter?: { Key: { FilterRules: { Name: 'prefix' | 'suffix'; Value: string }[] } };
}

/** A versioned bucket whose events go to a queue of their own. */
async function subscribe(stage: Stage, wanted: Wanted = {}) {
  const Bucket = await stage.newBucket();
  await stage.s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
  const { url, arn } = await stage.newQueue();
  const statement = {
    Effect: 'Allow',
    Principal: { Service: 's3.amazonaws.com' },
    Action: 'sqs:SendMessage',
    Resource: arn,
    Condition: { ArnEquals: { 'aws:SourceArn': `arn:aws:s3:::${Bucket}` } },
  };
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  await stage.sqs.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { Policy } }));
  await configure(stage, Bucket, arn, wanted);
  return { Bucket, url, arn };
}

function configure(stage: Stage, Bucket: string, QueueArn: string, { Events = ['s3:ObjectCreated:*'], Filter }: Wanted = {}) {
  const QueueConfigurations = [{ QueueArn, Events, ...(Filter && { Filter }) }];
  return stage.s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: { QueueConfigurations } }));
}

async function records(stage: Stage, url: string, count: number): Promise<Notified[]> {
  const messages = await take(stage, url, count, (message) => 'Records' in message);
  // Only S3 may send to this queue, and this is what its guide says it sends.
  return messages.flatMap((message) => Reflect.get(message, 'Records') as Notified[]);
}

/** Receives and deletes until `count` messages that are `wanted` came. @throws Difference when they do not come */
async function take(stage: Stage, QueueUrl: string, count: number, wanted: (message: object) => boolean): Promise<object[]> {
  const taken: object[] = [];
  const deadline = Date.now() + PATIENCE_MS;
  while (taken.length < count) {
    if (Date.now() > deadline) throw new Difference(`${taken.length} events came in ${PATIENCE_MS / 1000} s, not ${count}`);
    const { Messages = [] } = await stage.sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }));
    for (const { Body = 'null', ReceiptHandle } of Messages) {
      const message: unknown = JSON.parse(Body);
      if (typeof message === 'object' && message !== null && wanted(message)) taken.push(message);
      await stage.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    }
  }
  return taken;
}

const padded = ({ s3 }: Notified) => s3.object.sequencer.toUpperCase().padStart(64, '0');
