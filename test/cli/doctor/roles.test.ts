import { SimulatePrincipalPolicyCommand, type SimulatePrincipalPolicyCommandInput } from '@aws-sdk/client-iam';
import { describe, expect, test } from 'vitest';
import { roles } from '../../../cli/doctor/checks/roles.ts';
import { bucketArn, roleArn, tableArn } from '../../../cli/doctor/names.ts';
import { findingsOf, type Row, suite } from './suite.ts';
import { healthyWorld, POLICY, queueArn, refusal, STACK, simulated, type World } from './world.ts';

const TARGET = bucketArn(STACK, STACK.targetBucket);
const SOURCE = `${bucketArn(STACK, STACK.ingestBucket)}/sealdrop-doctor/any`;

describe('roles', () => {
  const deciding = (decide: (input: SimulatePrincipalPolicyCommandInput, action: string) => string | undefined) => (world: World) =>
    world.iam.on(SimulatePrincipalPolicyCommand).callsFake((input: SimulatePrincipalPolicyCommandInput) => ({
      EvaluationResults: simulated(STACK, world.context.policy, input).EvaluationResults.map((result) => ({
        ...result,
        EvalDecision: decide(input, result.EvalActionName) ?? result.EvalDecision,
      })),
    }));
  const on = (input: SimulatePrincipalPolicyCommandInput, resource: string) => input.ResourceArns?.includes(resource) === true;
  const is = (input: SimulatePrincipalPolicyCommandInput, name: 'encrypt' | 'list') => input.PolicySourceArn === roleArn(STACK, name);
  suite(roles, [
    [
      'a right that is missing',
      deciding((input, action) => (is(input, 'encrypt') && action === 's3:GetObjectTagging' ? 'implicitDeny' : undefined)),
      ['error role.lacks-right'],
    ],
    [
      'a right that is denied',
      deciding((input, action) => (is(input, 'encrypt') && action === 'sqs:ReceiveMessage' ? 'explicitDeny' : undefined)),
      ['error role.lacks-right'],
    ],
    ...[
      ['s3:AbortMultipartUpload', `${TARGET}/sealdrop-doctor/any`],
      ['s3:ListMultipartUploadParts', `${TARGET}/sealdrop-doctor/any`],
      ['s3:GetObject', `${TARGET}/sealdrop-doctor/any`],
      ['s3:ListBucket', TARGET],
      ['s3:ListBucketMultipartUploads', TARGET],
      ['sqs:SendMessage', queueArn('ingest')],
      ['dynamodb:Query', tableArn(STACK)],
      ['kms:Decrypt', STACK.keyArn],
    ].map(
      ([missing = '', resource = '']): Row => [
        `that a large or ordered copy lacks ${missing}`,
        deciding((input, action) => (is(input, 'encrypt') && on(input, resource) && action === missing ? 'implicitDeny' : undefined)),
        ['error role.lacks-right'],
      ],
    ),
    [
      'that sources could be deleted, which are to be kept',
      deciding((input, action) =>
        is(input, 'encrypt') && on(input, SOURCE) && action === 's3:DeleteObjectVersion' ? 'allowed' : undefined,
      ),
      ['error role.too-wide'],
    ],
    [
      'a right too many',
      deciding((input, action) => (is(input, 'list') && action === 'kms:Decrypt' ? 'allowed' : undefined)),
      ['error role.too-wide'],
    ],
    [
      'that the simulator is silent on an action',
      (world: World) =>
        world.iam.on(SimulatePrincipalPolicyCommand, { PolicySourceArn: roleArn(STACK, 'history') }).resolves({ EvaluationResults: [] }),
      Array.from({ length: 6 }, () => 'warning role.could-not-look'),
    ],
    [
      'a missing role, once',
      ({ iam }) =>
        iam.on(SimulatePrincipalPolicyCommand, { PolicySourceArn: roleArn(STACK, 'list') }).rejects(refusal('NoSuchEntity', 404)),
      ['error role.missing'],
    ],
    [
      'that it may not look, once a role',
      ({ iam }) => iam.on(SimulatePrincipalPolicyCommand).rejects(refusal('AccessDenied', 403)),
      Array.from({ length: 7 }, () => 'warning role.could-not-look'),
    ],
  ]);

  describe('where sources are deleted', () => {
    const deleting = () => healthyWorld({ policy: { ...POLICY, source: 'delete' } });

    test('finds nothing where they may be', async () => {
      expect(await findingsOf(roles, deleting())).toEqual([]);
    });

    test.each([
      ['s3:DeleteObjectVersion', SOURCE],
      ['s3:GetBucketVersioning', bucketArn(STACK, STACK.ingestBucket)],
    ])('finds that %s is missing', async (missing, resource) => {
      const world = deleting();
      deciding((input, action) => (is(input, 'encrypt') && on(input, resource) && action === missing ? 'implicitDeny' : undefined))(world);
      expect(await findingsOf(roles, world)).toEqual(['error role.lacks-right']);
    });
  });
});
