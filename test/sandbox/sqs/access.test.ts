import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { afterAll, describe, expect, test } from 'vitest';
import { actAs, allow, deny, policy } from '../iam/roles.ts';
import { arnOf, sqsWorkbench } from './workbench.ts';

const { open, createQueue, send, counts } = sqsWorkbench();
/** Clients name it by the older code, which the header carries. */
const denied = { name: 'AccessDenied', __type: 'AccessDeniedException', $metadata: { httpStatusCode: 403 } };
const clients: SQSClient[] = [];
afterAll(() => {
  for (const client of clients) client.destroy();
});

function worker(...statements: object[]): SQSClient {
  const { credentials } = actAs(open.sandbox.state, open.sandbox.credentials, 'worker', statements);
  const client = new SQSClient({ ...open.sandbox.client, credentials });
  clients.push(client);
  return client;
}

const setPolicy = (QueueUrl: string, ...statements: object[]) =>
  open.sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy: JSON.stringify(policy(...statements)) } }));

describe('a role', () => {
  test('does what its policy names, on the queue that it names, one at a time or in batches', async () => {
    const QueueUrl = await createQueue();
    const other = await createQueue();
    const client = worker(allow(['sqs:SendMessage', 'sqs:ReceiveMessage'], arnOf(QueueUrl)));
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' }));
    await client.send(new SendMessageBatchCommand({ QueueUrl, Entries: [{ Id: 'a', MessageBody: 'two' }] }));
    const { Messages } = await client.send(new ReceiveMessageCommand({ QueueUrl }));
    const ReceiptHandle = Messages?.[0]?.ReceiptHandle;
    const refused = [
      () => client.send(new SendMessageCommand({ QueueUrl: other, MessageBody: 'x' })),
      () => client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle })),
      () => client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 1 })),
      () => client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] })),
      () => client.send(new GetQueueUrlCommand({ QueueName: QueueUrl.split('/').at(-1) })),
      () => client.send(new PurgeQueueCommand({ QueueUrl })),
    ];
    for (const call of refused) await expect(call()).rejects.toMatchObject(denied);
    expect(await counts(other)).toEqual(['0', '0', '0']);
  });

  test('is refused in the words of SQS, and by the older code for query clients', async () => {
    const QueueUrl = await createQueue();
    const refused = await worker()
      .send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }))
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({
      Code: 'AccessDenied',
      message: `User: arn:aws:sts::000000000000:assumed-role/worker/test is not authorized to perform: sqs:sendmessage on resource: ${arnOf(QueueUrl)} because no identity-based policy allows the sqs:sendmessage action`,
    });
  });

  test.each([
    ['sqs:SendMessage on the destination', (_dead: string, live: string) => live],
    ['the rest on the dead letters', (dead: string) => dead],
  ])('moves dead letters back with rights on both: without %s it is refused', async (_what, without) => {
    const dead = await createQueue();
    const live = await createQueue({ RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arnOf(dead), maxReceiveCount: 1 }) });
    const rights = (except: string | null) =>
      [
        allow(['sqs:StartMessageMoveTask', 'sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], arnOf(dead)),
        allow('sqs:SendMessage', arnOf(live)),
      ].filter(({ Resource }) => Resource !== except);
    const move = (except: string | null, DestinationArn?: string) =>
      worker(...rights(except)).send(new StartMessageMoveTaskCommand({ SourceArn: arnOf(dead), DestinationArn }));
    await expect(move(arnOf(without(dead, live)))).rejects.toMatchObject(denied);
    await expect(move(arnOf(without(dead, live)), arnOf(live))).rejects.toMatchObject(denied);
    await move(null);
  });
});

describe("a queue's policy", () => {
  test('lets a role in, keeps another out, and holds for the administrator', async () => {
    const QueueUrl = await createQueue();
    const client = worker();
    await setPolicy(QueueUrl, { ...allow('sqs:SendMessage'), Principal: { AWS: 'arn:aws:iam::000000000000:role/worker' } });
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }));
    await setPolicy(QueueUrl, { ...deny('sqs:SendMessage'), Principal: '*' });
    await expect(send(QueueUrl, 'x')).rejects.toThrow('with an explicit deny in a resource-based policy');
  });

  test('refuses plain HTTP when it asks for TLS', async () => {
    const QueueUrl = await createQueue();
    await setPolicy(QueueUrl, { ...deny('sqs:*', '*', { Bool: { 'aws:SecureTransport': 'false' } }), Principal: '*' });
    await send(QueueUrl, 'x');
    const insecure = new SQSClient(open.sandbox.client);
    clients.push(insecure);
    insecure.middlewareStack.add(
      (next) => (args) => {
        Object.assign(Object(args.request).headers, { 'x-sandbox-insecure': '1' });
        return next(args);
      },
      { step: 'build', priority: 'low' },
    );
    await expect(insecure.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }))).rejects.toMatchObject(denied);
  });

  test('lets S3 send for the bucket that it names, and for no other', async () => {
    const QueueUrl = await createQueue();
    const from = (bucket: string) => ({ service: 's3.amazonaws.com', sourceArn: `arn:aws:s3:::${bucket}` });
    const sendFrom = (bucket: string) => open.service.publish(arnOf(QueueUrl), 'event', from(bucket));
    expect(() => sendFrom('mine')).toThrow('because no resource-based policy allows the sqs:sendmessage action');
    await setPolicy(QueueUrl, {
      ...allow('sqs:SendMessage', arnOf(QueueUrl), {
        ArnEquals: { 'aws:SourceArn': 'arn:aws:s3:::mine' },
        StringEquals: { 'aws:SourceAccount': '000000000000' },
      }),
      Principal: { Service: 's3.amazonaws.com' },
    });
    sendFrom('mine');
    expect(() => sendFrom('other')).toThrow('is not authorized to perform');
    expect(await counts(QueueUrl)).toEqual(['1', '0', '0']);
  });

  test('with a condition key that is not known is refused by name', async () => {
    const QueueUrl = await createQueue();
    const unknown = { ...allow('sqs:*', '*', { StringEquals: { 'sqs:Nothing': 'x' } }), Principal: '*' };
    await expect(setPolicy(QueueUrl, unknown)).rejects.toMatchObject({
      name: 'InvalidAttributeValue',
      message: 'Invalid value for the parameter Policy. The condition key sqs:Nothing is not known.',
    });
  });
});
