import {
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketNotificationConfigurationCommand,
  GetBucketPolicyCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { buckets } from '../../../cli/doctor/checks/buckets.ts';
import { ingest, rule, target, told } from './bucket-answers.ts';
import { healthyWorld, OTHER_QUEUE, policyText, queueArn, refusal, STACK, TARGET, TLS, type World } from './world.ts';

/** The argument of an option in a command, as the shell hands it over. */
function option(command: string | undefined, name: string): unknown {
  const quoted = new RegExp(`--${name} '(.*?)'(?: --|$)`, 's').exec(command ?? '')?.[1];
  return JSON.parse((quoted ?? '').replaceAll(`'\\''`, "'"));
}

describe('the command of a finding', () => {
  const commandOf = async (world: World, id: string) => (await buckets.run(world.context)).find((finding) => finding.id === id)?.command;

  test('keeps the notifications that the bucket has, but those of another stage', async () => {
    const world = healthyWorld();
    const theirs = { QueueArn: 'arn:aws:sqs:eu-central-1:111111111111:theirs', Events: ['s3:ObjectRemoved:*' as const] };
    const TopicConfigurations = [{ TopicArn: 'arn:aws:sns:eu-central-1:111111111111:topic', Events: ['s3:ObjectTagging:*' as const] }];
    world.s3
      .on(GetBucketNotificationConfigurationCommand, ingest)
      .resolves({ ...told(theirs, { QueueArn: OTHER_QUEUE, Events: ['s3:ObjectCreated:*'] }), TopicConfigurations });
    const command = await commandOf(world, 'ingest-bucket.not-notified');
    expect(command).toMatch(/^aws s3api put-bucket-notification-configuration --bucket sealdrop-prod-ingest-/);
    expect(option(command, 'notification-configuration')).toEqual({
      TopicConfigurations,
      QueueConfigurations: [theirs, { Id: 'sealdrop', QueueArn: queueArn('ingest'), Events: ['s3:ObjectCreated:*'] }],
    });
  });

  test('tells the queue once of everything that it was told in part', async () => {
    const world = healthyWorld();
    world.s3
      .on(GetBucketNotificationConfigurationCommand, ingest)
      .resolves(told({ Id: 'half', QueueArn: queueArn('ingest'), Events: ['s3:ObjectCreated:Put'] }));
    const command = await commandOf(world, 'ingest-bucket.not-notified');
    expect(option(command, 'notification-configuration')).toEqual({
      QueueConfigurations: [{ Id: 'sealdrop', QueueArn: queueArn('ingest'), Events: ['s3:ObjectCreated:*'] }],
    });
  });

  test('adds to the policy that the bucket has', async () => {
    const world = healthyWorld();
    const theirs = { Sid: "It's theirs", Effect: 'Deny', Principal: '*', Action: 's3:DeleteObject', Resource: '*' };
    world.s3.on(GetBucketPolicyCommand, ingest).resolves({ Policy: policyText(theirs) });
    const policy = option(await commandOf(world, 'ingest-bucket.tls-not-required'), 'policy');
    expect(policy).toMatchObject({ Version: '2012-10-17', Statement: [theirs, ...TLS] });
  });

  test('makes a brought target bucket what the stack would have made it, and is well after it', async () => {
    const world = healthyWorld({ stack: { targetBucket: 'theirs' } });
    const asked = { Bucket: 'theirs' };
    world.s3.on(GetBucketPolicyCommand, asked).rejects(refusal('NoSuchBucketPolicy', 404));
    const policy = option(await commandOf(world, 'target-bucket.policy-incomplete'), 'policy');
    world.s3.on(GetBucketPolicyCommand, asked).resolves({ Policy: JSON.stringify(policy) });
    expect(await commandOf(world, 'target-bucket.policy-incomplete')).toBeUndefined();
    expect(JSON.stringify(policy)).toMatch(/arn:aws:s3:::theirs\/cards\/\*/);
    expect(JSON.stringify(policy)).not.toMatch(/Fn::|AWS::/);
  });

  test('lacks nothing where one statement is missing but that one', async () => {
    const world = healthyWorld();
    world.s3
      .on(GetBucketPolicyCommand, target)
      .resolves({ Policy: policyText(...TARGET.filter(({ Sid }) => Sid !== 'ReadByFunctionsAlone')) });
    const finding = (await buckets.run(world.context)).find(({ id }) => id === 'target-bucket.policy-incomplete');
    expect(finding?.evidence).toMatchObject({ lacking: ['ReadByFunctionsAlone'] });
  });

  test('keeps the lifecycle rules that the bucket has', async () => {
    const world = healthyWorld();
    world.s3
      .on(GetBucketLifecycleConfigurationCommand, ingest)
      .resolves({ Rules: [{ ID: 'theirs', Status: 'Enabled', Filter: { Prefix: 'tmp/' } }] });
    const command = await commandOf(world, 'ingest-bucket.unfinished-uploads-kept');
    expect(option(command, 'lifecycle-configuration')).toMatchObject({ Rules: [{ ID: 'theirs' }, { ID: 'abort-unfinished-uploads' }] });
  });

  test('puts both right when SSE-C is blocked and the default another one, in any order', async () => {
    const world = healthyWorld();
    world.s3.on(GetBucketEncryptionCommand, target).resolves(rule('AES256', undefined, 'SSE-C'));
    const commands = [await commandOf(world, 'target-bucket.sse-c-blocked'), await commandOf(world, 'target-bucket.default-encryption')];
    const wanted = rule('aws:kms', STACK.keyArn, 'NONE').ServerSideEncryptionConfiguration.Rules[0];
    for (const command of commands)
      expect(option(command, 'server-side-encryption-configuration')).toEqual({ Rules: [{ ...wanted, BucketKeyEnabled: true }] });
  });

  test('lets SSE-C into a brought bucket and keeps its default', async () => {
    const world = healthyWorld({ stack: { targetBucket: 'theirs' } });
    world.s3.on(GetBucketEncryptionCommand, { Bucket: 'theirs' }).resolves(rule('AES256', undefined, 'SSE-C'));
    const command = await commandOf(world, 'target-bucket.sse-c-blocked');
    expect(option(command, 'server-side-encryption-configuration')).toEqual(
      rule('AES256', undefined, 'NONE').ServerSideEncryptionConfiguration,
    );
  });
});
