/** `npx sealdrop failures`: what could not be done, by cause. */
import { readIngestLetter, readTargetLetter, readTransitLetter } from './dead-letters/letter.ts';
import { missed, readThrough } from './dead-letters/read-through.ts';
import { transitQueueUrl } from './doctor/names.ts';
import { type FailuresArguments, readArguments, USAGE } from './failures/arguments.ts';
import { createGroups } from './failures/groups.ts';
import { jsonFailure, jsonReport, textReport } from './failures/report.ts';
import { describeStack } from './stack.ts';
import { stackCommand } from './stack-command.ts';

const NONE = 0;
const SOME = 1;

export const failures = stackCommand<FailuresArguments>({
  usage: USAGE,
  read: readArguments,
  jsonFailure,
  async run(asked, command, clients, interruption) {
    const stack = await describeStack(clients.cloudformation, asked.stackName);
    const { url, read } = {
      ingest: { url: stack.deadLetterQueueUrl, read: readIngestLetter },
      'target-events': { url: stack.targetEventsDeadLetterQueueUrl, read: readTargetLetter },
      transit: { url: transitQueueUrl(stack, 'transit-dead-letters'), read: readTransitLetter(stack.targetBucket) },
    }[asked.queue];
    const groups = createGroups();
    const reading = await readThrough(
      { sqs: clients.sqs, url },
      (message) => {
        groups.add(read(message));
        return 'give back';
      },
      interruption,
    );
    if (interruption.code !== null) {
      command.err('Interrupted. What was read is visible again.');
      return interruption.code;
    }
    const found = { asked, stack, groups, reading };
    command.out(asked.json ? jsonReport(found) : textReport(found));
    return reading.seen === 0 && missed(reading) === null ? NONE : SOME;
  },
});
