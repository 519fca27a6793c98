/**
 * Roles: what their own policies allow, as IAM's simulator says. Policies of the resources are not part of it
 * (https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html: for users only); the round trip tries them.
 */
import { SimulatePrincipalPolicyCommand } from '@aws-sdk/client-iam';
import pMap from 'p-map';
import type { Check, DoctorContext } from '../context.ts';
import { error, type Finding, warning } from '../finding.ts';
import { look } from '../look.ts';
import { type FunctionName, roleArn } from '../names.ts';
import { type Expectation, expectations } from './rights.ts';

/** IAM throttles its simulator early. */
const AT_ONCE = 4;

export const roles: Check = {
  area: 'roles',
  async run(context) {
    const { stack, policy } = context;
    const found = await pMap(expectations(stack, policy), (expectation) => simulate(context, expectation), { concurrency: AT_ONCE });
    return oneEach(found.flat());
  },
};

function simulate(context: DoctorContext, expectation: Expectation): Promise<Finding[]> {
  const { stack, clients } = context;
  const role = roleArn(stack, expectation.function);
  const command = new SimulatePrincipalPolicyCommand({
    PolicySourceArn: role,
    ActionNames: expectation.actions,
    ResourceArns: [expectation.resource],
    ContextEntries: Object.entries(expectation.context).map(([ContextKeyName, value]) => ({
      ContextKeyName,
      ContextKeyType: ContextKeyName === 'dynamodb:LeadingKeys' ? 'stringList' : 'string',
      ContextKeyValues: [value],
    })),
  });
  return look(
    { subject: 'role', resource: role, action: 'iam:SimulatePrincipalPolicy' },
    () => clients.iam.send(command),
    ({ EvaluationResults = [] }) =>
      expectation.actions.flatMap((action) =>
        judge(context, expectation, action, EvaluationResults.find(({ EvalActionName }) => EvalActionName === action)?.EvalDecision),
      ),
    {
      NoSuchEntity: () => missing(stack.stage, expectation.function, role),
      NoSuchEntityException: () => missing(stack.stage, expectation.function, role),
    },
  );
}

/** An action without a decision is neither a right nor its absence. */
function judge({ stack }: DoctorContext, expectation: Expectation, action: string, decision: string | undefined): Finding[] {
  const allowed = decision === 'allowed';
  if (decision === undefined)
    return [
      warning('role.could-not-look', {
        resource: roleArn(stack, expectation.function),
        what: `could not look: the simulator says nothing of ${action} on ${expectation.resource}`,
        nextStep: 'Try again; if it stays, look at the cause.',
        evidence: { action, resource: expectation.resource },
      }),
    ];
  if (allowed === expectation.allowed) return [];
  const finding = {
    resource: roleArn(stack, expectation.function),
    evidence: { action, resource: expectation.resource, decision },
    command: `npx serverless deploy --stage ${stack.stage}`,
  };
  if (allowed)
    return [
      error('role.too-wide', {
        ...finding,
        what: `${expectation.function} may ${action} on ${expectation.resource}, which is no part of its job`,
        nextStep: 'Take away the policy that somebody gave it, or deploy the stack again.',
      }),
    ];
  return [
    error('role.lacks-right', {
      ...finding,
      what: `${expectation.function} may not ${action} on ${expectation.resource} (${decision})`,
      nextStep: "Deploy the stack again; if the right is still missing, look for a permissions boundary or an organization's policy.",
    }),
  ];
}

function missing(stage: string, name: FunctionName, role: string): Finding[] {
  return [
    error('role.missing', {
      resource: role,
      what: `the function ${name} has no role`,
      nextStep: 'Deploy the stack again.',
      command: `npx serverless deploy --stage ${stage}`,
    }),
  ];
}

/** A role that is missing, or may not be looked at, is said once. */
function oneEach(findings: Finding[]): Finding[] {
  const said = new Set<string>();
  return findings.filter((finding) => {
    const name = JSON.stringify([finding.id, finding.resource, finding.what]);
    if (said.has(name)) return false;
    said.add(name);
    return true;
  });
}
