/** Rules that tell the topic what somebody does to keys and guards, and the queue of what could not be told. */
import { att, type Part, type Resource, ref, sub } from './cloudformation.ts';
import { guardChanges } from './guard-changes.ts';
import { keyChanges } from './key-changes.ts';
import { queueArn, ruleArn, stackName } from './names.ts';
import { deadLetterQueue, NOTICES, queuePolicy } from './queues.ts';
import type { Stack } from './stack.ts';
import type { Watch } from './watch.ts';

const QUEUE = 'NoticesDeadLetterQueue';

export function notices(stack: Stack): Part {
  const watches = [...keyChanges(stack), ...guardChanges(stack)];
  return {
    Resources: {
      ...Object.fromEntries(watches.map((watch) => [watch.id, rule(stack, watch)])),
      [QUEUE]: deadLetterQueue(stack, NOTICES),
      [`${QUEUE}Policy`]: queuePolicy(stack, NOTICES, QUEUE, [
        {
          // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html#eb-dlq-perms
          Sid: 'RulesSend',
          Effect: 'Allow',
          Principal: { Service: 'events.amazonaws.com' },
          Action: ['sqs:SendMessage'],
          Resource: sub(queueArn(stack, NOTICES)),
          Condition: { ArnEquals: { 'aws:SourceArn': watches.map(({ name }) => sub(ruleArn(stack, name))) } },
        },
      ]),
    },
  };
}

function rule(stack: Stack, { name, description, pattern }: Watch): Resource {
  return {
    Type: 'AWS::Events::Rule',
    Properties: {
      Name: `${stackName(stack)}-${name}`,
      Description: description,
      EventPattern: pattern,
      State: 'ENABLED',
      Targets: [{ Id: 'alarms', Arn: ref('AlarmTopic'), DeadLetterConfig: { Arn: att(QUEUE, 'Arn') } }],
    },
  };
}
