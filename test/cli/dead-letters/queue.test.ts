import { DeleteMessageBatchCommand, SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import { describe, expect, test } from 'vitest';
import { remove, send } from '../../../cli/dead-letters/queue.ts';
import { fakeQueues, refusal } from './fake-queues.ts';

const MIB = 1024 * 1024;

describe('sending', () => {
  test.each([
    [0, []],
    [10, [10]],
    [11, [10, 1]],
  ])('%i small messages takes ten at a time', async (count, sizes) => {
    const { ingest, sqs } = fakeQueues();
    await send(
      ingest,
      Array.from({ length: count }, (_, index) => `${index}`),
    );
    expect(sqs.commandCalls(SendMessageBatchCommand).map(({ args }) => args[0].input.Entries?.length)).toEqual(sizes);
  });

  test.each([
    ['as much as SQS takes', [MIB / 2, MIB / 2], [2]],
    ['more than SQS takes', [MIB / 2, MIB / 2 + 1], [1, 1]],
    ['one that fills a batch', [1, MIB, 1], [1, 1, 1]],
  ])('at once %s', async (_, bytes, sizes) => {
    const { ingest, sqs } = fakeQueues();
    await send(
      ingest,
      bytes.map((size) => 'x'.repeat(size)),
    );
    expect(sqs.commandCalls(SendMessageBatchCommand).map(({ args }) => args[0].input.Entries?.length)).toEqual(sizes);
  });

  test('says which messages the queue did not take', async () => {
    const { ingest, sqs } = fakeQueues();
    sqs.on(SendMessageBatchCommand).resolves({ Successful: [{ Id: '0', MessageId: 'm', MD5OfMessageBody: '' }], Failed: [] });
    expect(await send(ingest, ['a', 'b'])).toEqual([true, false]);
  });

  test('that is refused names the right', async () => {
    const { ingest, sqs } = fakeQueues();
    sqs.on(SendMessageBatchCommand).rejects(refusal('AccessDenied', 403));
    await expect(send(ingest, ['a'])).rejects.toThrow('grant sqs:SendMessage');
  });
});

test('deleting says what is left', async () => {
  const { deadLetters, sqs } = fakeQueues();
  sqs.on(DeleteMessageBatchCommand).resolves({ Failed: [{ Id: '1', Code: 'InternalError', SenderFault: false }] });
  expect(await remove(deadLetters, ['a', 'b', 'c'])).toEqual(['b']);
});
