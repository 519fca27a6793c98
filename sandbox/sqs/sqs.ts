/**
 * SQS: standard queues with visibility timeouts, long polling, dead letters and their way back.
 *
 * What it does not do (2026-11-21): FIFO queues, fair queues, SSE-KMS (all queues use SSE-SQS), AddPermission and RemovePermission, trace headers (`MessageSystemAttributes`), the limit of
 * 120,000 messages in flight, the minute before the name of a deleted queue is free again, the old query protocol.
 */
import { openAccess } from '../iam/access.ts';
import { sqsRefusal } from '../iam/refusal.ts';
import type { Queues, SendOptions } from '../service.ts';
import type { State } from '../state.ts';
import { createJsonService, type JsonService } from '../wire/json-service.ts';
import { createArrivals } from './arrivals.ts';
import { numberOf } from './attributes.ts';
import { queryErrorHeader } from './errors.ts';
import { type MessageOperation, messageOperations, receiveNow, systemAttributesOf } from './message-operations.ts';
import { md5, openMessageStore } from './message-store.ts';
import { type MoveTaskOperation, moveTaskOperations } from './move-task-operations.ts';
import { openMoveTasks } from './move-tasks.ts';
import { requireQueue, requireSender } from './queue-access.ts';
import { type QueueOperation, queueOperations } from './queue-operations.ts';
import { openQueueStore } from './queue-store.ts';

/** @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions */
const POLLING = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];
/** Under which S3 delivers its events. */
const SERVICE_SENDER_ID = 'AIDAJQR6QDGQ7PATMSYEY';

export interface Sqs extends JsonService, Queues {
  /** Stops its timers; call it before the state is closed. */
  close(): void;
}

export function openSqs(state: State): Sqs {
  const { judge } = openAccess(state);
  const queues = openQueueStore(state);
  const messages = openMessageStore(state, queues);
  const arrivals = createArrivals((queue) => messages.nextDueMs(queue));
  const tasks = openMoveTasks(state, queues, messages, arrivals.notify);
  const service = createJsonService<QueueOperation | MessageOperation | MoveTaskOperation>({
    targetPrefix: 'AmazonSQS',
    version: '1.0',
    operations: {
      ...queueOperations(queues, messages),
      ...messageOperations(queues, messages, arrivals),
      ...moveTaskOperations(queues, tasks),
    },
    errorHeaders: queryErrorHeader,
    judge,
    refusal: sqsRefusal,
  });

  function send(queueArn: string, body: string, options: SendOptions = {}): void {
    const queue = queues.requireByArn(queueArn);
    const { delaySeconds = numberOf(queue.attributes, 'DelaySeconds') } = options;
    messages.send(queue, { body, attributes: {}, senderId: SERVICE_SENDER_ID, delaySeconds });
    arrivals.notify(queue.name);
  }

  return {
    ...service,
    publish(queueArn, body, from, options) {
      requireSender(judge, queues.requireByArn(queueArn), from);
      send(queueArn, body, options);
    },
    send: (queueArn, body) => send(queueArn, body),
    receive(queueArn, { max, visibilityTimeoutSeconds }) {
      const queue = queues.requireByArn(queueArn);
      const visibility = visibilityTimeoutSeconds ?? numberOf(queue.attributes, 'VisibilityTimeout');
      return receiveNow(queue, max, visibility, messages, arrivals).map((message) => ({
        messageId: message.messageId,
        receiptHandle: message.receiptHandle,
        body: message.body,
        md5OfBody: md5(message.body),
        attributes: systemAttributesOf(message),
        messageAttributes: message.attributes,
      }));
    },
    delete: (queueArn, receiptHandle) => messages.delete(queues.requireByArn(queueArn), receiptHandle),
    requirePolling(queueArn, role) {
      const queue = queues.requireByArn(queueArn);
      for (const action of POLLING) requireQueue(judge, queue, action, role);
    },
    changeVisibility(queueArn, receiptHandle, seconds) {
      const queue = queues.requireByArn(queueArn);
      messages.changeVisibility(queue, receiptHandle, seconds);
      if (seconds === 0) arrivals.notify(queue.name);
      else arrivals.rearm(queue.name);
    },
    exists: (queueArn) => queues.findByArn(queueArn) !== null,
    onAvailable(queueArn, listener) {
      const queue = queues.requireByArn(queueArn);
      const unsubscribe = arrivals.subscribe(queue.name, listener);
      arrivals.notify(queue.name);
      return unsubscribe;
    },
    close() {
      arrivals.close();
      tasks.close();
    },
  };
}
