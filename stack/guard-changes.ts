/** What happens to that which guards the objects: configuration of buckets, table and queues, and the functions themselves. */

import { usesTransit } from '../src/policy/downloads.ts';
import { sub } from './cloudformation.ts';
import { bucketName, functionName, functionsOf, nameOf, tableName } from './names.ts';
import { queueNames } from './queues.ts';
import type { Stack } from './stack.ts';
import { calls, type Match, type Watch } from './watch.ts';

/**
 * Policy, notifications, versioning, lifecycle, encryption, replication, public access and what is yet to come. That Object Lock comes by its
 * operation's name is unverified; its permission's name begins with PutBucket.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html
 */
const BUCKET_CHANGES: Match[] = [{ prefix: 'PutBucket' }, { prefix: 'DeleteBucket' }, 'PutObjectLockConfiguration'];

/** CloudTrail adds dates and versions to these names: https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html */
const FUNCTION_CHANGES: Match[] = [
  'AddPermission',
  'CreateEventSourceMapping',
  'CreateFunctionUrlConfig',
  'DeleteEventSourceMapping',
  'DeleteFunction',
  'PutFunction',
  'RemovePermission',
  'UpdateEventSourceMapping',
  'UpdateFunction',
].map((prefix) => ({ prefix }));

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/logging-using-cloudtrail.html */
const QUEUE_CHANGES: Match[] = ['AddPermission', 'DeleteQueue', 'PurgeQueue', 'RemovePermission', 'SetQueueAttributes'];

/**
 * What lets its items be changed, or go: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/understanding-ddb-log-entries.html
 * shows `tableName`; that policies are told with `resourceArn`, as their requests name it, is unverified.
 */
const TABLE_CHANGES: Match[] = [
  'DeleteResourcePolicy',
  'DeleteTable',
  'PutResourcePolicy',
  'UpdateContinuousBackups',
  'UpdateTable',
  'UpdateTimeToLive',
];

const DEPLOYMENTS = 'A deployment that changes them is told as well.';

/** Another account's bucket is watched in its own account alone, and roles only in us-east-1, where IAM tells its events. */
export function guardChanges(stack: Stack): Watch[] {
  const transit = usesTransit(stack.policy);
  const bucketNames = (['ingest', 'target', 'audit', ...(transit ? (['transit'] as const) : [])] as const).map((which) =>
    sub(bucketName(stack, which)),
  );
  // By name, by ARN or by a part of the ARN.
  const functions = functionsOf(stack).map((name) => ({ suffix: functionName(stack, name) }));
  const table: Match[] = [sub(tableName(stack)), { suffix: sub(`/${tableName(stack)}`) }];
  const queueUrls = queueNames(stack).map((what) => ({ suffix: sub(`/${nameOf(stack, what)}`) }));
  return [
    {
      id: 'BucketChangeRule',
      name: 'bucket-changes',
      description: `Somebody changed the policy, Object Lock or another setting of one of the ${transit ? 'four' : 'three'} buckets. ${DEPLOYMENTS}`,
      pattern: calls('s3', BUCKET_CHANGES, { requestParameters: { bucketName: bucketNames } }),
    },
    {
      id: 'TableChangeRule',
      name: 'table-changes',
      description: `Somebody changed the policy, backups or another setting of the audit table, or deleted it. ${DEPLOYMENTS}`,
      pattern: calls('dynamodb', TABLE_CHANGES, {
        $or: [{ requestParameters: { tableName: table } }, { requestParameters: { resourceArn: table } }],
      }),
    },
    {
      id: 'FunctionChangeRule',
      name: 'function-changes',
      description: `Somebody changed the code, configuration, permissions or queue of a function. ${DEPLOYMENTS}`,
      // Changes of an event source mapping name it by an id alone; that CloudTrail keeps the function's ARN from the answer is unverified.
      // Without it, a mapping that is gone is told by the alarm of its queue, which is late then.
      pattern: calls('lambda', FUNCTION_CHANGES, {
        $or: [{ requestParameters: { functionName: functions } }, { responseElements: { functionArn: functions } }],
      }),
    },
    {
      id: 'QueueChangeRule',
      name: 'queue-changes',
      description: `Somebody emptied or deleted a queue or changed its policy or attributes. ${DEPLOYMENTS}`,
      pattern: calls('sqs', QUEUE_CHANGES, { requestParameters: { queueUrl: queueUrls } }),
    },
  ];
}
