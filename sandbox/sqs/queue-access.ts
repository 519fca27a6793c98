/** What callers must be allowed. @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html */
import { ACCOUNT_ID } from '../account.ts';
import type { AccessRequest, Judge } from '../iam/judge.ts';
import { type PolicyDocument, parsePolicy } from '../iam/policy.ts';
import { sqsRefusal } from '../iam/refusal.ts';
import type { EventSource, Principal } from '../service.ts';
import type { Asked } from '../wire/json-service.ts';
import { type Queue, type QueueStore, queueArn } from './queue-store.ts';

export function askQueue(queue: Queue): Asked {
  return { resource: queue.arn, resourcePolicy: policyOf(queue) };
}

/** Throws `QueueDoesNotExist`. */
export function askQueueAt(queues: QueueStore, url: string): Asked {
  return askQueue(queues.requireByUrl(url));
}

/** A queue that may not be there yet. */
export function askQueueNamed(queues: QueueStore, name: string): Asked {
  const queue = queues.find(name);
  return queue === null ? { resource: queueArn(name) } : askQueue(queue);
}

/** For a caller in process, e.g. the role of a function whose messages are fetched. Throws `AccessDenied`. */
export function requireQueue(judge: Judge, queue: Queue, action: string, principal: Principal): void {
  require(judge, queue, { principal, action, context: { 'aws:SecureTransport': 'true' } });
}

/** For a service that sends. Throws `AccessDenied`. */
export function requireSender(judge: Judge, queue: Queue, { service, sourceArn }: EventSource): void {
  const context = { 'aws:SourceArn': sourceArn, 'aws:SourceAccount': ACCOUNT_ID };
  require(judge, queue, { principal: { service }, action: 'sqs:SendMessage', context });
}

function require(judge: Judge, queue: Queue, request: Pick<AccessRequest, 'principal' | 'action' | 'context'>): void {
  judge.require({ ...request, resource: queue.arn, resourcePolicy: policyOf(queue) }, sqsRefusal);
}

function policyOf({ attributes: { Policy } }: Queue): PolicyDocument | null {
  return Policy === undefined || Policy === '' ? null : parsePolicy(Policy, 'resource');
}
