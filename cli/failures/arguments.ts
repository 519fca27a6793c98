/** What `sealdrop failures` was asked. */
import { type Environment, parseOptions, readStackArguments, STACK_OPTIONS, STACK_USAGE, type StackArguments } from '../stack-arguments.ts';

const QUEUES = ['ingest', 'target-events', 'transit'] as const;

export type QueueName = (typeof QUEUES)[number];

export const USAGE = `npx sealdrop failures [--stage dev] [--region REGION] [--queue ingest|target-events|transit] [--json]

Lists what could not be done, by cause: the dead letters of a queue. They stay where they are.

${STACK_USAGE}
  --queue          ingest: files that could not be encrypted (default); target-events: writes in the target bucket that could not be audited;
                   transit: copies for downloads that could not be made or deleted

Exit codes: 0 there is none · 1 there are some · 2 it could not look`;

export interface FailuresArguments extends StackArguments {
  queue: QueueName;
}

/** @throws an error whose message says which argument is wrong */
export function readArguments(args: string[], env: Environment): FailuresArguments {
  const { values } = parseOptions({ args, options: { ...STACK_OPTIONS, queue: { type: 'string', default: 'ingest' } } });
  const queue = QUEUES.find((name) => name === values.queue);
  if (queue === undefined) throw new Error(`--queue ${values.queue}: ${QUEUES.join(' or ')}`);
  return { ...readStackArguments(values, env), queue };
}
