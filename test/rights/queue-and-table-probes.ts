/** Queues, the audit table and the functions themselves. */
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DeleteItemCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
} from '@aws-sdk/client-sqs';
import { type Probe, probesOf } from './probe.ts';
import { QUEUES, type World } from './world.ts';

/** Well-formed and of no message. */
const NO_RECEIPT = Buffer.from('no receipt').toString('base64');

function queueProbes(name: keyof World['queues']): Probe[] {
  const at = ({ queues }: World) => ({ QueueUrl: queues[name] });
  return probesOf(
    `the queue: ${name}`,
    {
      // S3's test event: a function that gets it does nothing.
      'sqs:SendMessage': ({ sqs }, world) =>
        sqs.send(
          new SendMessageCommand({
            ...at(world),
            MessageBody: JSON.stringify({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'b' }),
          }),
        ),
      'sqs:ReceiveMessage': ({ sqs }, world) => sqs.send(new ReceiveMessageCommand({ ...at(world), VisibilityTimeout: 0 })),
      'sqs:DeleteMessage': ({ sqs }, world) => sqs.send(new DeleteMessageCommand({ ...at(world), ReceiptHandle: NO_RECEIPT })),
      'sqs:ChangeMessageVisibility': ({ sqs }, world) =>
        sqs.send(new ChangeMessageVisibilityCommand({ ...at(world), ReceiptHandle: NO_RECEIPT, VisibilityTimeout: 0 })),
      'sqs:GetQueueAttributes': ({ sqs }, world) => sqs.send(new GetQueueAttributesCommand({ ...at(world), AttributeNames: ['QueueArn'] })),
    },
    {
      'sqs:PurgeQueue': ({ sqs }, world) => sqs.send(new PurgeQueueCommand(at(world))),
      'sqs:SetQueueAttributes': ({ sqs }, world) =>
        sqs.send(new SetQueueAttributesCommand({ ...at(world), Attributes: { DelaySeconds: '1' } })),
      'sqs:DeleteQueue': ({ sqs }, world) => sqs.send(new DeleteQueueCommand(at(world))),
    },
  );
}

/** @param pkOf a partition key of the kind that the rows speak of */
function itemProbes(kind: string, pkOf: (world: World) => string): Probe[] {
  const key = (world: World) => ({ pk: { S: pkOf(world) }, sk: { S: '0' } });
  const at = ({ table }: World) => ({ TableName: table });
  return probesOf(`the audit table: ${kind}`, {
    'dynamodb:Query': ({ dynamodb }, world) =>
      dynamodb.send(
        new QueryCommand({ ...at(world), KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': { S: pkOf(world) } } }),
      ),
    'dynamodb:GetItem': ({ dynamodb }, world) => dynamodb.send(new GetItemCommand({ ...at(world), Key: key(world) })),
    'dynamodb:BatchGetItem': ({ dynamodb }, world) =>
      dynamodb.send(new BatchGetItemCommand({ RequestItems: { [world.table]: { Keys: [key(world)] } } })),
    'dynamodb:PutItem': ({ dynamodb }, world) => dynamodb.send(new PutItemCommand({ ...at(world), Item: key(world) })),
    'dynamodb:BatchWriteItem': ({ dynamodb }, world) =>
      dynamodb.send(new BatchWriteItemCommand({ RequestItems: { [world.table]: [{ PutRequest: { Item: key(world) } }] } })),
    'dynamodb:UpdateItem': ({ dynamodb }, world) => dynamodb.send(new UpdateItemCommand({ ...at(world), Key: key(world) })),
    'dynamodb:DeleteItem': ({ dynamodb }, world) => dynamodb.send(new DeleteItemCommand({ ...at(world), Key: key(world) })),
  });
}

const wholeTable: Probe[] = probesOf(
  'the audit table as a whole',
  {
    'dynamodb:Scan': ({ dynamodb }, { table }) => dynamodb.send(new ScanCommand({ TableName: table })),
    'dynamodb:DescribeTable': ({ dynamodb }, { table }) => dynamodb.send(new DescribeTableCommand({ TableName: table })),
  },
  { 'dynamodb:DeleteTable': ({ dynamodb }, { table }) => dynamodb.send(new DeleteTableCommand({ TableName: table })) },
);

const functionProbes: Probe[] = probesOf('the functions', {
  'lambda:InvokeFunction': ({ lambda }, { stack }) =>
    lambda.send(new InvokeCommand({ FunctionName: `${stack.env.SEALDROP_STACK}-health`, Payload: '{}' })),
});

export const QUEUE_AND_TABLE_PROBES: Probe[] = [
  ...QUEUES.flatMap(queueProbes),
  ...itemProbes("audit events of the target's objects", ({ buckets }) => `audit#${buckets.target}/a.txt`),
  ...itemProbes("records of the target's objects", ({ buckets }) => `object#${buckets.target}/a.txt`),
  ...itemProbes("ranges read of the target's objects", ({ buckets }) => `reads#${buckets.target}/a.txt`),
  ...itemProbes('anything else', () => 'elsewhere#a'),
  ...wholeTable,
  ...functionProbes,
];

/** What happened is added by the functions, and changed by nobody. */
export const NEVER_ALLOWED_ON_TABLES: Probe[] = QUEUE_AND_TABLE_PROBES.filter(({ action }) =>
  ['dynamodb:PutItem', 'dynamodb:BatchWriteItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'].includes(action),
);
