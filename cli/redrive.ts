/** `npx sealdrop redrive`: sends dead letters back and says what becomes of them. */
import { createObjectRecords } from '../src/audit/object-record.ts';
import { createAuditTrail } from '../src/audit/trail.ts';
import type { Clients } from './clients.ts';
import type { CommandContext } from './command.ts';
import { stateOf } from './dead-letters/letter.ts';
import type { Interruption } from './interruption.ts';
import { type RedriveArguments, readArguments, USAGE } from './redrive/arguments.ts';
import { collect } from './redrive/collect.ts';
import { follow, type SentObject } from './redrive/follow.ts';
import type { Evidence } from './redrive/nothing-left.ts';
import { isWell, jsonFailure, jsonReport, type Redrive, textReport } from './redrive/report.ts';
import { type Queues, type Settled, sendBack } from './redrive/send-back.ts';
import { describeStack, type Stack } from './stack.ts';
import { stackCommand } from './stack-command.ts';
import { startProgress } from './terminal.ts';

const WELL = 0;
const NOT_ALL = 1;

type FollowedAll = Awaited<ReturnType<typeof follow>>;

const NOTHING_TO_FOLLOW: FollowedAll = { followed: [], trouble: null };

export const redrive = stackCommand<RedriveArguments>({
  usage: USAGE,
  read: readArguments,
  jsonFailure,
  async run(asked, command, clients, interruption) {
    const stack = await describeStack(clients.cloudformation, asked.stackName);
    const done = await redriveStack(asked, stack, command, clients, interruption);
    command.out(asked.json ? jsonReport(done) : textReport(done));
    if (interruption.code !== null) {
      command.err('Interrupted. What was not sent back is visible again among the dead letters; what was goes on by itself.');
      return interruption.code;
    }
    return isWell(done) ? WELL : NOT_ALL;
  },
});

async function redriveStack(
  asked: RedriveArguments,
  stack: Stack,
  command: CommandContext,
  { sqs, dynamodb }: Clients,
  { signal }: Interruption,
): Promise<Redrive> {
  const queues: Queues = { deadLetters: { sqs, url: stack.deadLetterQueueUrl }, ingest: { sqs, url: stack.ingestQueueUrl } };
  const evidence: Evidence = {
    records: createObjectRecords(dynamodb, stack.auditTable),
    trail: createAuditTrail(dynamodb, stack.auditTable),
    stack,
  };
  const { reading, tasks, others, seenIds } = await collect(queues.deadLetters, asked, signal);
  const sentAfter = Date.now();
  const { settled, trouble } = await sendBack(tasks, queues, evidence, { signal, dryRun: asked.dryRun });
  const sent = asked.dryRun ? [] : objectsOf(settled);
  const end =
    sent.length === 0 ? NOTHING_TO_FOLLOW : await followAll(sent, asked, command, { queues, evidence, seenIds, sentAfter, signal });
  const troubles = [trouble, end.trouble].filter((error) => error !== null);
  return { stack, dryRun: asked.dryRun, reading, others, settled, followed: end.followed, troubles };
}

interface FollowContext {
  queues: Queues;
  evidence: Evidence;
  seenIds: ReadonlySet<string>;
  sentAfter: number;
  signal: AbortSignal;
}

async function followAll(
  sent: SentObject[],
  { json, timeoutMs }: RedriveArguments,
  command: CommandContext,
  { queues, evidence, ...options }: FollowContext,
): Promise<FollowedAll> {
  if (!json) command.err(`${sent.length} sent back. Following them for ${timeoutMs / 1000} s at most; Ctrl-C ends that and loses nothing.`);
  const bar = !json && process.stderr.isTTY ? startProgress('following', sent.length, process.stderr) : null;
  const progress = (over: number) => bar?.update(over);
  const end = await follow(sent, queues.deadLetters, evidence, { ...options, timeoutMs, progress });
  bar?.finish('');
  return end;
}

/** An object may be in several messages. */
function objectsOf(settled: readonly Settled[]): SentObject[] {
  const sent = settled.flatMap(({ task, fate }) => (fate === 'sent' ? task.refs.map((ref) => ({ ref, code: task.code })) : []));
  return [...new Map(sent.map((object) => [stateOf(object.ref, object.ref.sequencer), object])).values()];
}
