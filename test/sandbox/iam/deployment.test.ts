import { afterEach, beforeEach, expect, test } from 'vitest';
import { DeploymentError } from '../../../sandbox/index.ts';
import { openStackBench, type StackBench } from '../cloudformation/workbench.ts';
import { allow, policy } from './roles.ts';

let bench: StackBench;
beforeEach(() => {
  bench = openStackBench();
});
afterEach(() => bench.close());

const identity = policy(allow('s3:*', '*', { StringEquals: { 's3:nothing': 'x' } }));
const resource = policy({ ...allow('s3:*', 'arn:aws:s3:::data/*', { StringEquals: { 's3:nothing': 'x' } }), Principal: '*' });
const trust = policy({ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' });
const badTrust = policy({ ...trust.Statement[0], Condition: { StringEquals: { 's3:nothing': 'x' } } });
const role = (AssumeRolePolicyDocument: object, Policies: object[] = []) => ({
  Type: 'AWS::IAM::Role',
  Properties: { RoleName: 'r', AssumeRolePolicyDocument, Policies },
});

test.each<[what: string, resources: Record<string, object>]>([
  ['a trust policy', { Bad: role(badTrust) }],
  ["a role's own policy", { Bad: role(trust, [{ PolicyName: 'p', PolicyDocument: identity }]) }],
  [
    'a policy for roles',
    {
      Role: role(trust),
      Bad: { Type: 'AWS::IAM::Policy', Properties: { PolicyName: 'p', PolicyDocument: identity, Roles: [{ Ref: 'Role' }] } },
    },
  ],
  ["a key's policy", { Bad: { Type: 'AWS::KMS::Key', Properties: { KeyPolicy: resource } } }],
  [
    "a queue's policy",
    {
      Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'q' } },
      Bad: { Type: 'AWS::SQS::QueuePolicy', Properties: { Queues: [{ Ref: 'Queue' }], PolicyDocument: resource } },
    },
  ],
  [
    "a bucket's policy",
    {
      Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'data' } },
      Bad: { Type: 'AWS::S3::BucketPolicy', Properties: { Bucket: { Ref: 'Bucket' }, PolicyDocument: resource } },
    },
  ],
  [
    "a secret's policy",
    {
      Secret: { Type: 'AWS::SecretsManager::Secret', Properties: { Name: 's' } },
      Bad: { Type: 'AWS::SecretsManager::ResourcePolicy', Properties: { SecretId: { Ref: 'Secret' }, ResourcePolicy: resource } },
    },
  ],
])('%s with a condition key that is not known stops the deployment by name', async (_what, resources) => {
  const deployed = bench.deploy(resources);
  await expect(deployed).rejects.toThrow(/^Bad .*The condition key s3:nothing is not known/);
  await expect(deployed).rejects.toThrow(DeploymentError);
});
