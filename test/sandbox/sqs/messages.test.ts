import { randomUUID } from 'node:crypto';
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { describe, expect, test, vi } from 'vitest';
import { arnOf, sqsWorkbench } from './workbench.ts';

const { open, counts, createQueue, receive, send } = sqsWorkbench();

describe('a message', () => {
  test('arrives with its attributes, and with digests that the SDK checked', async () => {
    const QueueUrl = await createQueue();
    const MessageAttributes = {
      text: { DataType: 'String', StringValue: 'é💾' },
      'number.1': { DataType: 'Number.int', StringValue: '42' },
      bytes: { DataType: 'Binary', BinaryValue: Buffer.from([0, 255, 1]) },
    };
    const sent = await open.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'é💾\n', MessageAttributes }));
    const [message] = await receive(QueueUrl);
    expect(message).toMatchObject({ MessageId: sent.MessageId, Body: 'é💾\n', MD5OfBody: sent.MD5OfMessageBody });
    expect(message?.MD5OfMessageAttributes).toBe(sent.MD5OfMessageAttributes);
    expect(message?.MessageAttributes?.text?.StringValue).toBe('é💾');
    expect(Buffer.from(message?.MessageAttributes?.bytes?.BinaryValue ?? [])).toEqual(Buffer.from([0, 255, 1]));
    expect(message?.Attributes).toMatchObject({ ApproximateReceiveCount: '1', SenderId: expect.stringMatching(/^AIDA/) });
    expect(Number(message?.Attributes?.SentTimestamp)).toBeGreaterThan(Date.now() - 60_000);
  });

  test('has the attribute digest of AWS’s definition', async () => {
    // From the definition by hand: md5 over 4-byte lengths, names, types, transport type 1 and value, sorted by name.
    const { createHash } = await import('node:crypto');
    const part = (text: string) => Buffer.concat([Buffer.from([0, 0, 0, text.length]), Buffer.from(text)]);
    const one = (name: string, value: string) => Buffer.concat([part(name), part('String'), Buffer.from([1]), part(value)]);
    const expected = createHash('md5')
      .update(Buffer.concat([one('a', '1'), one('b', '2')]))
      .digest('hex');
    const attribute = (StringValue: string) => ({ DataType: 'String', StringValue });
    const QueueUrl = await createQueue();
    const sent = await open.sqs.send(
      new SendMessageCommand({ QueueUrl, MessageBody: 'x', MessageAttributes: { b: attribute('2'), a: attribute('1') } }),
    );
    expect(sent.MD5OfMessageAttributes).toBe(expected);
  });

  test('shows only the attributes that are asked for', async () => {
    const QueueUrl = await createQueue();
    const attribute = { DataType: 'String', StringValue: 'x' };
    await open.sqs.send(
      new SendMessageCommand({
        QueueUrl,
        MessageBody: 'x',
        MessageAttributes: { 'app.a': attribute, 'app.b': attribute, other: attribute },
      }),
    );
    const ask = async (MessageAttributeNames: string[], MessageSystemAttributeNames: 'SentTimestamp'[] = []) => {
      const { Messages } = await open.sqs.send(
        new ReceiveMessageCommand({ QueueUrl, MessageAttributeNames, MessageSystemAttributeNames, VisibilityTimeout: 0 }),
      );
      return [Object.keys(Messages?.[0]?.MessageAttributes ?? {}), Object.keys(Messages?.[0]?.Attributes ?? {})];
    };
    expect(await ask([])).toEqual([[], []]);
    expect(await ask(['app.*'])).toEqual([['app.a', 'app.b'], []]);
    expect(await ask(['other', 'none'], ['SentTimestamp'])).toEqual([['other'], ['SentTimestamp']]);
  });

  test.each([
    [1023, true],
    [1024, true],
    [1025, false],
  ])('of %i bytes fits a queue for 1024: %s', async (size, accepted) => {
    const QueueUrl = await createQueue({ MaximumMessageSize: '1024' });
    const answer = send(QueueUrl, 'x'.repeat(size));
    if (accepted) await expect(answer).resolves.toBeDefined();
    else await expect(answer).rejects.toMatchObject({ name: 'InvalidParameterValue', Code: 'InvalidParameterValue' });
  });

  test.each([
    ['', 'InvalidParameterValue'],
    ['\u0000', 'InvalidMessageContents'],
    ['\uFFFF', 'InvalidMessageContents'],
  ])('with the body %j is refused', async (body, name) => {
    await expect(send(await createQueue(), body)).rejects.toMatchObject({ name });
  });

  test.each([
    [{ '.a': { DataType: 'String', StringValue: 'x' } }],
    [{ 'AWS.x': { DataType: 'String', StringValue: 'x' } }],
    [{ a: { DataType: 'Text', StringValue: 'x' } }],
    [{ a: { DataType: 'String', StringValue: '' } }],
    [{ a: { DataType: 'Number', StringValue: 'one' } }],
    [Object.fromEntries(Array.from({ length: 11 }, (_, n) => [`a${n}`, { DataType: 'String', StringValue: 'x' }]))],
  ])('with the attributes %o is refused', async (MessageAttributes) => {
    const QueueUrl = await createQueue();
    const answer = open.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x', MessageAttributes }));
    await expect(answer).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  });

  test('is not readable in the database', async () => {
    const needle = `needle-${randomUUID()}`;
    await send(await createQueue(), needle);
    const rows = open.sandbox.state.db.prepare('SELECT sealed FROM sqs_messages').all();
    const bytes = rows.map(({ sealed }) => (sealed instanceof Uint8Array ? Buffer.from(sealed) : Buffer.alloc(0)));
    expect(Buffer.concat(bytes).length).toBeGreaterThan(needle.length);
    expect(Buffer.concat(bytes).includes(needle)).toBe(false);
  });

  test('that waits longer than the retention period is gone', async () => {
    const QueueUrl = await createQueue({ MessageRetentionPeriod: '60' });
    open.service.send(arnOf(QueueUrl), 'x');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 59_000 });
    expect(open.service.receive(arnOf(QueueUrl), { max: 1, visibilityTimeoutSeconds: 0 })).toHaveLength(1);
    vi.setSystemTime(Date.now() + 2000);
    expect(open.service.receive(arnOf(QueueUrl), { max: 1 })).toHaveLength(0);
  });
});

describe('a batch', () => {
  test('sends, hides and deletes ten messages, and reports the entry that failed', async () => {
    const QueueUrl = await createQueue();
    const entries = Array.from({ length: 10 }, (_, n) => ({ Id: `${n}`, MessageBody: n === 3 ? '\u0001' : `body ${n}` }));
    const sent = await open.sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: entries }));
    expect(sent.Successful).toHaveLength(9);
    expect(sent.Failed).toMatchObject([{ Id: '3', SenderFault: true, Code: 'InvalidMessageContents' }]);
    const handles = (await receive(QueueUrl)).map(({ ReceiptHandle }, n) => ({ Id: `${n}`, ReceiptHandle }));
    expect(handles).toHaveLength(9);
    await open.sqs.send(
      new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries: handles.map((entry) => ({ ...entry, VisibilityTimeout: 100 })) }),
    );
    const deleted = await open.sqs.send(
      new DeleteMessageBatchCommand({ QueueUrl, Entries: [...handles, { Id: 'bad', ReceiptHandle: 'x' }] }),
    );
    expect(deleted.Successful).toHaveLength(9);
    expect(deleted.Failed).toMatchObject([{ Id: 'bad', Code: 'ReceiptHandleIsInvalid' }]);
    expect(await counts(QueueUrl)).toEqual(['0', '0', '0']);
  });

  test.each([
    [[], 'EmptyBatchRequest'],
    [Array.from({ length: 11 }, (_, n) => `${n}`), 'TooManyEntriesInBatchRequest'],
    [['a', 'a'], 'BatchEntryIdsNotDistinct'],
    [['not valid'], 'InvalidBatchEntryId'],
  ])('with the ids %o is %s', async (ids, name) => {
    const QueueUrl = await createQueue();
    const Entries = ids.map((Id) => ({ Id, MessageBody: 'x' }));
    await expect(open.sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }))).rejects.toMatchObject({ name });
  });

  test('of more than 1 MiB together is BatchRequestTooLong', async () => {
    const QueueUrl = await createQueue();
    const entries = (bytes: number) => [
      { Id: 'a', MessageBody: 'x'.repeat(524_288) },
      { Id: 'b', MessageBody: 'x'.repeat(bytes) },
    ];
    await expect(open.sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: entries(524_288) }))).resolves.toBeDefined();
    await expect(open.sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: entries(524_289) }))).rejects.toMatchObject({
      name: 'BatchRequestTooLong',
    });
  });
});
