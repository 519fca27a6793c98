import { CloudFormationClient, DescribeStacksCommand, ListStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import {
  GetRoleCommand,
  GetRolePolicyCommand,
  IAMClient,
  ListRolePoliciesCommand,
  SimulatePrincipalPolicyCommand,
} from '@aws-sdk/client-iam';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCloudFormation, type DescribedStack } from '../../../sandbox/cloudformation/index.ts';
import { type Access, openAccess } from '../../../sandbox/iam/access.ts';
import { createIam } from '../../../sandbox/iam/iam.ts';
import { createSts } from '../../../sandbox/sts/sts.ts';
import { aws, hasAwsCli } from '../wire/aws-cli.ts';
import { type SandboxServer, startSandbox } from '../wire/sandbox-server.ts';
import { actAs, allow, deny, policy, putRole } from './roles.ts';

const ROLE = 'arn:aws:iam::000000000000:role/reader';
const stack: DescribedStack = {
  name: 'test',
  outputs: { BucketName: 'b', Url: 'http://a?b&c' },
  parameters: { Issuer: 'i' },
  deployed: new Date('2026-11-21T10:00:00Z'),
};

let sandbox: SandboxServer;
let access: Access;
let iam: IAMClient;
let cloudformation: CloudFormationClient;

beforeAll(async () => {
  sandbox = await startSandbox((state) => {
    access = openAccess(state);
    return {
      services: {
        iam: createIam(access),
        cloudformation: createCloudFormation(state, access.judge, () => stack),
        sts: createSts(access.judge),
      },
    };
  });
  iam = new IAMClient(sandbox.client);
  cloudformation = new CloudFormationClient(sandbox.client);
  putRole(access, 'reader', [allow('s3:GetObject', 'arn:aws:s3:::b/*'), deny('s3:*', 'arn:aws:s3:::b/secret/*')]);
});
afterAll(async () => {
  iam.destroy();
  cloudformation.destroy();
  await sandbox.close();
});

describe('a role', () => {
  test('is described with its trust policy and unique id', async () => {
    const { Role } = await iam.send(new GetRoleCommand({ RoleName: 'reader' }));
    expect(Role).toMatchObject({ RoleName: 'reader', Arn: ROLE, Path: '/' });
    expect(Role?.RoleId).toMatch(/^AROA[A-Z2-7]{17}$/);
    expect(JSON.parse(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? ''))).toEqual(
      policy({ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }),
    );
  });

  test('shows its policies', async () => {
    expect((await iam.send(new ListRolePoliciesCommand({ RoleName: 'reader' }))).PolicyNames).toEqual(['rights']);
    const { PolicyDocument = '' } = await iam.send(new GetRolePolicyCommand({ RoleName: 'reader', PolicyName: 'rights' }));
    expect(JSON.parse(decodeURIComponent(PolicyDocument)).Statement).toHaveLength(2);
    const missing = new GetRolePolicyCommand({ RoleName: 'reader', PolicyName: 'none' });
    await expect(iam.send(missing)).rejects.toMatchObject({ name: 'NoSuchEntityException' });
  });

  test('that is not there is NoSuchEntity', async () => {
    await expect(iam.send(new GetRoleCommand({ RoleName: 'nobody' }))).rejects.toMatchObject({
      name: 'NoSuchEntityException',
      $metadata: { httpStatusCode: 404 },
    });
  });

  test('looks at others by right only', async () => {
    const { credentials } = actAs(sandbox.state, sandbox.credentials, 'looker', [allow('iam:GetRole', ROLE)]);
    const looker = new IAMClient({ ...sandbox.client, credentials });
    await looker.send(new GetRoleCommand({ RoleName: 'reader' }));
    await expect(looker.send(new GetRoleCommand({ RoleName: 'looker' }))).rejects.toMatchObject({
      name: 'AccessDenied',
      $metadata: { httpStatusCode: 403 },
      message:
        'User: arn:aws:sts::000000000000:assumed-role/looker/test is not authorized to perform: iam:GetRole on resource: role looker because no identity-based policy allows the iam:GetRole action',
    });
    looker.destroy();
  });

  test('is replaced with its policies at once', () => {
    const principal = { arn: 'x', roleArn: 'arn:aws:iam::000000000000:role/changing', userId: '', accessKeyId: '' };
    const asked = { principal, action: 's3:GetObject', resource: 'arn:aws:s3:::b/k', context: {}, resourcePolicy: null };
    putRole(access, 'changing', [allow('s3:*')]);
    expect(access.judge.allows(asked)).toBe(true);
    putRole(access, 'changing', []);
    expect(access.judge.allows(asked)).toBe(false);
    access.putRolePolicy(['changing'], 'owner', policy(allow('s3:GetObject')));
    expect(access.judge.allows(asked)).toBe(true);
    access.deletePolicy('owner');
    expect(access.judge.allows(asked)).toBe(false);
  });

  test.each([
    ['its policy', () => access.putRole('broken', policy({ ...allow('*'), Principal: '*' }), {})],
    ['an inline policy', () => putRole(access, 'broken', [allow('s3:*', '*', { Nope: { 's3:prefix': 'a' } })])],
    ['a policy of its own', () => access.putRolePolicy(['reader'], 'owner', policy(allow('s3:*', '*', { Null: { 's3:nope': 'true' } })))],
  ])('is refused with an unknown word in %s, and nothing is kept', (_where, put) => {
    expect(put).toThrow(/is not known/);
    expect(access.findRole('broken')).toBeNull();
    expect(Object.keys(access.findRole(ROLE)?.policies ?? {})).toEqual(['rights']);
  });

  test('is taken on by the service that it trusts', () => {
    expect(access.trusts(ROLE, 'lambda.amazonaws.com')).toBe(true);
    expect(access.trusts(ROLE, 's3.amazonaws.com')).toBe(false);
    expect(access.trusts('arn:aws:iam::000000000000:role/nobody', 'lambda.amazonaws.com')).toBe(false);
  });
});

describe('a simulation', () => {
  const simulate = (ActionNames: string[], ResourceArns: string[], ContextEntries: Record<string, string[]> = {}, PolicySourceArn = ROLE) =>
    iam.send(
      new SimulatePrincipalPolicyCommand({
        PolicySourceArn,
        ActionNames,
        ResourceArns,
        ContextEntries: Object.entries(ContextEntries).map(([ContextKeyName, ContextKeyValues]) => ({
          ContextKeyName,
          ContextKeyType: 'stringList',
          ContextKeyValues,
        })),
      }),
    );
  const decisions = async (...given: Parameters<typeof simulate>) =>
    ((await simulate(...given)).EvaluationResults ?? []).map(({ EvalActionName, EvalDecision }) => `${EvalActionName} ${EvalDecision}`);

  test("says of each action what the role's own policies say", async () => {
    expect(await decisions(['s3:GetObject', 's3:PutObject'], ['arn:aws:s3:::b/k'])).toEqual([
      's3:GetObject allowed',
      's3:PutObject implicitDeny',
    ]);
    expect(await decisions(['s3:GetObject'], ['arn:aws:s3:::b/secret/k'])).toEqual(['s3:GetObject explicitDeny']);
  });

  test('gives one result an action, the most restrictive of all resources, and each by itself', async () => {
    const { EvaluationResults = [] } = await simulate(['s3:GetObject'], ['arn:aws:s3:::b/k', 'arn:aws:s3:::c/k']);
    expect(EvaluationResults).toHaveLength(1);
    expect(EvaluationResults[0]?.EvalDecision).toBe('implicitDeny');
    expect(
      EvaluationResults[0]?.ResourceSpecificResults?.map(({ EvalResourceName, EvalResourceDecision }) => [
        EvalResourceName,
        EvalResourceDecision,
      ]),
    ).toEqual([
      ['arn:aws:s3:::b/k', 'allowed'],
      ['arn:aws:s3:::c/k', 'implicitDeny'],
    ]);
  });

  test('takes the condition keys that it is given, whatever their case', async () => {
    putRole(access, 'conditioned', [allow('dynamodb:Query', '*', { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': 'a#*' } })]);
    const arn = 'arn:aws:iam::000000000000:role/conditioned';
    expect(await decisions(['dynamodb:Query'], ['*'], { 'DynamoDB:LeadingKeys': ['a#1', 'a#2'] }, arn)).toEqual(['dynamodb:Query allowed']);
    expect(await decisions(['dynamodb:Query'], ['*'], { 'dynamodb:LeadingKeys': ['a#1', 'b#2'] }, arn)).toEqual([
      'dynamodb:Query implicitDeny',
    ]);
  });

  test('of nobody is NoSuchEntity', async () => {
    await expect(simulate(['s3:GetObject'], ['*'], {}, `${ROLE}2`)).rejects.toMatchObject({ name: 'NoSuchEntityException' });
  });
});

describe('a stack', () => {
  test('is described with outputs and parameters, by name or id', async () => {
    const { Stacks = [] } = await cloudformation.send(new DescribeStacksCommand({ StackName: 'test' }));
    expect(Stacks).toMatchObject([
      {
        StackName: 'test',
        StackStatus: 'CREATE_COMPLETE',
        CreationTime: stack.deployed,
        Outputs: [
          { OutputKey: 'BucketName', OutputValue: 'b' },
          { OutputKey: 'Url', OutputValue: 'http://a?b&c' },
        ],
        Parameters: [{ ParameterKey: 'Issuer', ParameterValue: 'i' }],
      },
    ]);
    const StackName = Stacks[0]?.StackId ?? '';
    expect(StackName).toMatch(/^arn:aws:cloudformation:us-east-1:000000000000:stack\/test\/[0-9a-f-]{36}$/);
    expect((await cloudformation.send(new DescribeStacksCommand({ StackName }))).Stacks?.[0]?.StackName).toBe('test');
    expect((await cloudformation.send(new DescribeStacksCommand({}))).Stacks).toHaveLength(1);
    expect((await cloudformation.send(new ListStackResourcesCommand({ StackName: 'test' }))).StackResourceSummaries ?? []).toEqual([]);
  });

  test('that is not there is a ValidationError', async () => {
    await expect(cloudformation.send(new DescribeStacksCommand({ StackName: 'other' }))).rejects.toMatchObject({
      name: 'ValidationError',
      message: 'Stack with id other does not exist',
    });
  });

  test('is described by right only', async () => {
    const { credentials } = actAs(sandbox.state, sandbox.credentials, 'looker', []);
    const looker = new CloudFormationClient({ ...sandbox.client, credentials });
    await expect(looker.send(new DescribeStacksCommand({ StackName: 'test' }))).rejects.toMatchObject({ name: 'AccessDenied' });
    looker.destroy();
  });
});

test.runIf(hasAwsCli)('the AWS CLI looks at roles, simulates them, and describes the stack', async () => {
  expect(await aws(sandbox, 'iam', 'get-role', '--role-name', 'reader')).toMatchObject({
    Role: { Arn: ROLE, AssumeRolePolicyDocument: { Version: '2012-10-17' } },
  });
  const simulation = ['--policy-source-arn', ROLE, '--action-names', 's3:GetObject', '--resource-arns', 'arn:aws:s3:::b/k'];
  expect(await aws(sandbox, 'iam', 'simulate-principal-policy', ...simulation)).toMatchObject({
    EvaluationResults: [{ EvalActionName: 's3:GetObject', EvalDecision: 'allowed' }],
  });
  expect(await aws(sandbox, 'cloudformation', 'describe-stacks', '--stack-name', 'test')).toMatchObject({
    Stacks: [{ StackName: 'test', StackStatus: 'CREATE_COMPLETE' }],
  });
  expect(await aws(sandbox, 'sts', 'get-caller-identity')).toMatchObject({ UserId: expect.stringMatching(/^AIDA[A-Z2-7]{17}$/) });
});
