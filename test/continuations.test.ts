import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { createContinuations } from '../src/continuations.ts';
import { parseIngestEvent } from '../src/events/index.ts';
import { mockAws, queueError } from './fixtures/aws.ts';
import { QUEUE_URL } from './fixtures/encrypt-world.ts';
import { queued } from './fixtures/messages.ts';
import { objectRef } from './fixtures/objects.ts';

const REF = objectRef({ requester: 'AWS:AROAEXAMPLE:uploader', key: 'a+b/日本 🎉\uFFFE\uFFFF.bin' });
const PROGRESS = { uploadId: 'upload-1', copiedParts: 3, parts: 9 };

function sending() {
  const { clients, sqs } = mockAws();
  sqs.on(SendMessageCommand).resolves({});
  const sent = () => sqs.commandCalls(SendMessageCommand).map((call) => call.args[0].input);
  return { continuations: createContinuations(clients.sqs, QUEUE_URL), sqs, sent };
}

describe('a continuation', () => {
  it('goes to the own queue at once, and tells how far the copy came', async () => {
    const { continuations, sent } = sending();
    await continuations.goOn(REF, PROGRESS);
    const [message, ...more] = sent();
    expect(more).toEqual([]);
    expect(message).toEqual({ QueueUrl: QUEUE_URL, MessageBody: expect.any(String) });
    expect(JSON.parse(message?.MessageBody ?? '')).toMatchObject({ upload: PROGRESS });
  });

  it('that only waits comes in a quarter of an hour, the longest that a queue holds a message back', async () => {
    const { continuations, sent } = sending();
    await continuations.postpone(REF);
    expect(sent()).toEqual([{ QueueUrl: QUEUE_URL, MessageBody: expect.any(String), DelaySeconds: 900 }]);
  });

  it('of a source that is to be copied again goes to the own queue at once', async () => {
    const { continuations, sent } = sending();
    await continuations.again(REF);
    expect(sent()).toEqual([{ QueueUrl: QUEUE_URL, MessageBody: expect.any(String) }]);
  });

  it.each(['goOn', 'postpone', 'again'] as const)('by %s names the very object that it was told', async (how) => {
    const { continuations, sent } = sending();
    await continuations[how](REF, PROGRESS);
    const [message] = parseIngestEvent(queued([sent()[0]?.MessageBody]));
    expect(message?.content).toMatchObject({ items: [REF] });
  });

  it.each([
    ['ThrottlingException', 400, 'throttled', true],
    ['InternalError', 500, 'service-unavailable', true],
    ['AccessDenied', 403, 'access-denied', false],
  ])('that the queue refuses with %s (%d) is %s', async (name, status, code, retryable) => {
    const { continuations, sqs } = sending();
    sqs.on(SendMessageCommand).rejects(queueError(name, status));
    await expect(continuations.goOn(REF, PROGRESS)).rejects.toMatchObject({ code, retryable, object: { key: REF.key } });
    await expect(continuations.postpone(REF)).rejects.toMatchObject({ code });
    await expect(continuations.again(REF)).rejects.toMatchObject({ code });
  });
});
