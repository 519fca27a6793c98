import { SimulatePrincipalPolicyCommand, type SimulatePrincipalPolicyCommandInput } from '@aws-sdk/client-iam';
import { describe } from 'vitest';
import { roles } from '../../../cli/doctor/checks/roles.ts';
import { roleArn } from '../../../cli/doctor/names.ts';
import { suite } from './suite.ts';
import { POLICY, refusal, STACK, simulated, type World } from './world.ts';

describe('roles', () => {
  const deciding = (decide: (input: SimulatePrincipalPolicyCommandInput, action: string) => string | undefined) => (world: World) =>
    world.iam.on(SimulatePrincipalPolicyCommand).callsFake((input: SimulatePrincipalPolicyCommandInput) => ({
      EvaluationResults: simulated(STACK, POLICY, input).EvaluationResults.map((result) => ({
        ...result,
        EvalDecision: decide(input, result.EvalActionName) ?? result.EvalDecision,
      })),
    }));
  const is = (input: SimulatePrincipalPolicyCommandInput, name: 'encrypt' | 'list') => input.PolicySourceArn === roleArn(STACK, name);
  suite(roles, [
    [
      'a right that is missing',
      deciding((input, action) => (is(input, 'encrypt') && action === 's3:GetObjectTagging' ? 'implicitDeny' : undefined)),
      ['error role.lacks-right'],
    ],
    [
      'a right that is denied',
      deciding((input, action) => (is(input, 'encrypt') && action === 'sqs:SendMessage' ? 'explicitDeny' : undefined)),
      ['error role.lacks-right'],
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
});
