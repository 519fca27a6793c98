/** A stack that makes copies for downloads: its function and queues are looked at like the others. */
import { SimulatePrincipalPolicyCommand, type SimulatePrincipalPolicyCommandInput } from '@aws-sdk/client-iam';
import { GetQueueAttributesCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { expect, test } from 'vitest';
import { queues } from '../../../cli/doctor/checks/queues.ts';
import { roles } from '../../../cli/doctor/checks/roles.ts';
import { otherStage, roleArn, transitBucket, transitQueueUrl } from '../../../cli/doctor/names.ts';
import { policySchema } from '../../../src/policy/schema.ts';
import { findingsOf } from './suite.ts';
import { healthyWorld, POLICY, queueArn, refusal, STACK, simulated } from './world.ts';

const policy = policySchema.parse({ ...POLICY, downloads: [{ under: ['cards/'], transit: true }] });
const LETTERS = transitQueueUrl(STACK, 'transit-dead-letters');

function transitWorld() {
  const world = healthyWorld({ policy });
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: queueArn('transit-dead-letters'), maxReceiveCount: 5 });
  const at = { QueueUrl: transitQueueUrl(STACK, 'transit') };
  world.sqs.on(GetQueueAttributesCommand, at).resolves({ Attributes: { SqsManagedSseEnabled: 'true', RedrivePolicy } });
  return world;
}

test('is well where all is there', async () => {
  expect([await findingsOf(roles, transitWorld()), await findingsOf(queues, transitWorld())]).toEqual([[], []]);
});

test.each([
  ['transit', 's3:PutObject', `arn:aws:s3:::${transitBucket(STACK)}/sealdrop-doctor/any`],
  ['transit', 's3:GetObjectVersion', `arn:aws:s3:::${STACK.targetBucket}/sealdrop-doctor/any`],
  ['transit', 'sqs:SendMessage', queueArn('transit-dead-letters')],
  ['download', 'sqs:SendMessage', queueArn('transit')],
  ['download', 's3:GetObject', `arn:aws:s3:::${transitBucket(STACK)}/sealdrop-doctor/any`],
] as const)('misses of %s the right to %s on %s', async (name, action, resource) => {
  const world = transitWorld();
  world.iam.on(SimulatePrincipalPolicyCommand).callsFake((input: SimulatePrincipalPolicyCommandInput) => ({
    EvaluationResults: simulated(STACK, policy, input).EvaluationResults.map((result) => {
      const broken =
        input.PolicySourceArn === roleArn(STACK, name) && input.ResourceArns?.includes(resource) && result.EvalActionName === action;
      return broken ? { ...result, EvalDecision: 'implicitDeny' } : result;
    }),
  }));
  expect(await findingsOf(roles, world)).toEqual(['error role.lacks-right']);
});

test('a queue that is missing, or loses what fails, is told', async () => {
  const lossy = transitWorld();
  lossy.sqs
    .on(GetQueueAttributesCommand, { QueueUrl: transitQueueUrl(STACK, 'transit') })
    .resolves({ Attributes: { SqsManagedSseEnabled: 'true' } });
  expect(await findingsOf(queues, lossy)).toEqual(['error transit-queue.no-dead-letters']);
  const missing = transitWorld();
  missing.sqs.on(GetQueueAttributesCommand, { QueueUrl: LETTERS }).rejects(refusal('QueueDoesNotExist'));
  expect(await findingsOf(queues, missing)).toEqual(['error transit-dead-letters.missing']);
});

test('letters that wait are told with the command that reads them', async () => {
  const world = transitWorld();
  world.sqs
    .on(GetQueueAttributesCommand, { QueueUrl: LETTERS })
    .resolves({ Attributes: { SqsManagedSseEnabled: 'true', ApproximateNumberOfMessages: '1' } });
  world.sqs.on(ReceiveMessageCommand).resolves({ Messages: [] });
  expect(await queues.run(world.context)).toMatchObject([
    { id: 'transit-dead-letters.waiting', command: expect.stringMatching(/failures .*--queue transit$/) },
  ]);
});

test('a role or a queue of another stage is known as that', () => {
  expect([otherStage(STACK, roleArn({ ...STACK, stage: 'test' }, 'transit')), otherStage(STACK, roleArn(STACK, 'transit'))]).toEqual([
    'test',
    null,
  ]);
});
