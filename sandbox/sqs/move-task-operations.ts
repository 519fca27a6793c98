/** Redrive of dead letters. @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html */
import { z } from 'zod';
import { type JsonOperation, operation } from '../wire/json-service.ts';
import { redrivePolicyOf } from './attributes.ts';
import { invalidParameter, resourceNotFound, unsupported } from './errors.ts';
import type { MoveTask, MoveTasks } from './move-tasks.ts';
import { askQueue } from './queue-access.ts';
import type { Queue, QueueStore } from './queue-store.ts';

export type MoveTaskOperation = 'StartMessageMoveTask' | 'ListMessageMoveTasks' | 'CancelMessageMoveTask';

/** @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html */
const MOVING = ['sqs:StartMessageMoveTask', 'sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];
const MAX_RATE = 500;
const MAX_LISTED = 10;

export function moveTaskOperations(queues: QueueStore, tasks: MoveTasks): Record<MoveTaskOperation, JsonOperation> {
  function requireQueue(arn: string, parameter: string): Queue {
    const queue = queues.findByArn(arn);
    if (!queue) throw resourceNotFound(`The resource that you specified for the ${parameter} parameter doesn't exist.`);
    return queue;
  }

  /** The queues whose dead letters it gets. */
  function sourcesOf(arn: string): Queue[] {
    return queues.all().filter(({ attributes }) => redrivePolicyOf(attributes)?.deadLetterTargetArn === arn);
  }

  return {
    StartMessageMoveTask: operation(
      'sqs:StartMessageMoveTask',
      z.strictObject({
        SourceArn: z.string(),
        DestinationArn: z.string().optional(),
        MaxNumberOfMessagesPerSecond: z.int().min(1).max(MAX_RATE).optional(),
      }),
      (input) => {
        const source = requireQueue(input.SourceArn, 'SourceArn');
        if (sourcesOf(source.arn).length === 0) throw invalidParameter('Source queue must be configured as a Dead Letter Queue.');
        const destination = input.DestinationArn === undefined ? null : requireQueue(input.DestinationArn, 'DestinationArn');
        if (destination?.id === source.id) throw invalidParameter('Source queue arn and destination queue arn cannot be the same.');
        if (tasks.list(source.arn, 1)[0]?.status === 'RUNNING') {
          throw invalidParameter(
            'There is already a task running. Only one active task is allowed for a source queue arn at a given time.',
          );
        }
        return { TaskHandle: tasks.start(source, destination, input.MaxNumberOfMessagesPerSecond ?? null).handle };
      },
      ({ SourceArn, DestinationArn }) => {
        const source = askQueue(requireQueue(SourceArn, 'SourceArn'));
        const destinations = DestinationArn === undefined ? sourcesOf(SourceArn) : [requireQueue(DestinationArn, 'DestinationArn')];
        return [
          ...MOVING.map((action) => ({ ...source, action })),
          ...destinations.map((queue) => ({ ...askQueue(queue), action: 'sqs:SendMessage' })),
        ];
      },
    ),
    ListMessageMoveTasks: operation(
      'sqs:ListMessageMoveTasks',
      z.strictObject({ SourceArn: z.string(), MaxResults: z.int().min(1).max(MAX_LISTED).default(1) }),
      (input) => ({ Results: tasks.list(requireQueue(input.SourceArn, 'SourceArn').arn, input.MaxResults).map(entryOf) }),
      ({ SourceArn }) => [askQueue(requireQueue(SourceArn, 'SourceArn'))],
    ),
    CancelMessageMoveTask: operation(
      'sqs:CancelMessageMoveTask',
      z.strictObject({ TaskHandle: z.string() }),
      (input) => {
        const task = tasks.find(input.TaskHandle);
        if (!task) throw resourceNotFound('Task does not exist.');
        if (task.status !== 'RUNNING') throw unsupported('Only active tasks can be cancelled.');
        tasks.cancel(task);
        return { ApproximateNumberOfMessagesMoved: task.moved };
      },
      ({ TaskHandle }) => {
        const task = tasks.find(TaskHandle);
        if (!task) throw resourceNotFound('Task does not exist.');
        return [askQueue(requireQueue(task.source_arn, 'SourceArn'))];
      },
    ),
  };
}

/** The handle is shown while the task can be cancelled. */
function entryOf(task: MoveTask) {
  return {
    Status: task.status,
    SourceArn: task.source_arn,
    ApproximateNumberOfMessagesMoved: task.moved,
    ApproximateNumberOfMessagesToMove: task.to_move,
    StartedTimestamp: task.started_ms,
    ...(task.status === 'RUNNING' ? { TaskHandle: task.handle } : {}),
    ...(task.destination_arn === null ? {} : { DestinationArn: task.destination_arn }),
    ...(task.rate === null ? {} : { MaxNumberOfMessagesPerSecond: task.rate }),
    ...(task.failure === null ? {} : { FailureReason: task.failure }),
  };
}
