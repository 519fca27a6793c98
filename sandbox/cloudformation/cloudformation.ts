/**
 * CloudFormation on the wire, as far as it takes to look at what was deployed.
 *
 * What it does not do (2026-11-21): changing anything (the sandbox deploys at its start), stacks other than its own, stack
 * events, templates, drift, when a stack was made (the time of the start is given).
 */
import { createHash } from 'node:crypto';
import { ACCOUNT_ID, PARTITION, REGION } from '../account.ts';
import { AwsError } from '../aws-error.ts';
import type { Judge } from '../iam/judge.ts';
import { queryRefusal } from '../iam/refusal.ts';
import type { Service } from '../service.ts';
import type { State } from '../state.ts';
import { type Content, createQueryService, type Form } from '../wire/query-service.ts';
import { openStackStore } from './stack-store.ts';

export interface DescribedStack {
  name: string;
  outputs: Record<string, string>;
  parameters: Record<string, string>;
  deployed: Date;
}

type StackOperation = 'DescribeStacks' | 'DescribeStackResources' | 'ListStackResources';

const COMPLETE = 'CREATE_COMPLETE';

/** @param current the stack, `null` while it is being deployed */
export function createCloudFormation(state: State, judge: Judge, current: () => DescribedStack | null): Service {
  /** By name or id. Throws `ValidationError`. */
  function requireStack(form: Form): DescribedStack {
    const name = form.required('StackName');
    const stack = current();
    if (stack === null || (name !== stack.name && name !== stackId(stack.name))) throw noSuchStack(name);
    return stack;
  }

  const named = (form: Form) => [stackId(form.text('StackName') ?? '*')];

  return createQueryService<StackOperation>({
    service: 'cloudformation',
    namespace: 'http://cloudformation.amazonaws.com/doc/2010-05-15/',
    judge,
    refusal: queryRefusal,
    operations: {
      DescribeStacks: {
        action: 'cloudformation:DescribeStacks',
        resources: named,
        run(form) {
          const all = current();
          const stacks = form.text('StackName') === null ? (all === null ? [] : [all]) : [requireStack(form)];
          return { Stacks: stacks.map(describe) };
        },
      },
      DescribeStackResources: {
        action: 'cloudformation:DescribeStackResources',
        resources: named,
        run: (form) => ({ StackResources: resourcesOf(requireStack(form), 'Timestamp') }),
      },
      ListStackResources: {
        action: 'cloudformation:ListStackResources',
        resources: named,
        run: (form) => ({ StackResourceSummaries: resourcesOf(requireStack(form), 'LastUpdatedTimestamp') }),
      },
    },
  });

  function resourcesOf({ name, deployed }: DescribedStack, time: string): Content[] {
    return openStackStore(state, name)
      .all()
      .map(({ logicalId, physicalId, type }) => ({
        LogicalResourceId: logicalId,
        PhysicalResourceId: physicalId,
        ResourceType: type,
        [time]: deployed.toISOString(),
        ResourceStatus: COMPLETE,
      }));
  }
}

/** @see https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Stack.html */
function describe({ name, outputs, parameters, deployed }: DescribedStack): Content {
  return {
    StackName: name,
    StackId: stackId(name),
    CreationTime: deployed.toISOString(),
    StackStatus: COMPLETE,
    DisableRollback: false,
    Outputs: Object.entries(outputs).map(([OutputKey, OutputValue]) => ({ OutputKey, OutputValue })),
    Parameters: Object.entries(parameters).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue })),
  };
}

/** The same at every start. */
function stackId(name: string): string {
  if (name.startsWith('arn:')) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 32);
  const uuid = hash.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  return `arn:${PARTITION}:cloudformation:${REGION}:${ACCOUNT_ID}:stack/${name}/${uuid}`;
}

function noSuchStack(name: string): AwsError {
  return new AwsError(400, 'ValidationError', `Stack with id ${name} does not exist`);
}
