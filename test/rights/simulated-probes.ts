/** What the sandbox has no service for is asked of IAM itself, about the caller's own policies. */
import { SimulatePrincipalPolicyCommand } from '@aws-sdk/client-iam';
import { type Probe, probesOf } from './probe.ts';
import type { Caller, World } from './world.ts';

/** As a service says it. */
class AccessDenied extends Error {
  override readonly name = 'AccessDenied';
  readonly $metadata = { httpStatusCode: 403 };
}

function simulated(resource: string, actions: string[], arnOf: (world: World, caller: Caller) => string): Probe[] {
  const asks = actions.map((action) => {
    const ask: Probe['ask'] = async (_, world, caller) => {
      const { EvaluationResults = [] } = await world.administrator.iam.send(
        new SimulatePrincipalPolicyCommand({
          PolicySourceArn: world.principalArn(caller),
          ActionNames: [action],
          ResourceArns: [arnOf(world, caller)],
        }),
      );
      if (EvaluationResults[0]?.EvalDecision !== 'allowed') throw new AccessDenied(action);
    };
    return [action, ask] as const;
  });
  return probesOf(resource, Object.fromEntries(asks));
}

const HERE = 'us-east-1:000000000000';
const stackOf = ({ stack }: World) => stack.env.SEALDROP_STACK ?? '';
const logStream = (world: World, name: string) => `arn:aws:logs:${HERE}:log-group:/aws/lambda/${stackOf(world)}-${name}:log-stream:a`;

export const JUDGED_BY_SIMULATOR: Probe[] = [
  ...simulated("the function's own log", ['logs:CreateLogStream', 'logs:PutLogEvents', 'logs:GetLogEvents'], (world, caller) =>
    logStream(world, caller),
  ),
  ...simulated(
    "another function's log",
    ['logs:CreateLogStream', 'logs:PutLogEvents', 'logs:GetLogEvents', 'logs:DeleteLogStream'],
    (world, caller) => logStream(world, caller === 'encrypt' ? 'download' : 'encrypt'),
  ),
  ...simulated(
    'the topic of alarms',
    ['sns:Publish', 'sns:Subscribe', 'sns:SetTopicAttributes'],
    (world) => `arn:aws:sns:${HERE}:${stackOf(world)}-alarms-000000000000-us-east-1`,
  ),
  ...simulated(
    'alarms and rules',
    ['cloudwatch:DisableAlarmActions', 'cloudwatch:DeleteAlarms', 'cloudwatch:PutMetricData', 'events:PutEvents', 'events:DisableRule'],
    () => '*',
  ),
  ...simulated(
    'the functions, changed',
    ['lambda:UpdateFunctionCode', 'lambda:UpdateFunctionConfiguration', 'lambda:AddPermission'],
    (world) => `arn:aws:lambda:${HERE}:function:${stackOf(world)}-encrypt`,
  ),
  ...simulated('roles', ['iam:PassRole', 'iam:PutRolePolicy', 'iam:UpdateAssumeRolePolicy', 'sts:AssumeRole'], (world) =>
    world.principalArn('encrypt'),
  ),
  ...simulated(
    'the stack',
    ['cloudformation:UpdateStack', 'cloudformation:DeleteStack'],
    (world) => `arn:aws:cloudformation:${HERE}:stack/${stackOf(world)}/*`,
  ),
];
