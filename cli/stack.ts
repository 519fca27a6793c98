/** The deployed stack as its outputs describe it: the only source of names. */
import { type CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CannotLook } from './cannot-look.ts';
import { errorMessage, errorName, isDenied } from './sdk-error.ts';
import { stageOf } from './stack-name.ts';

/** What every stack of Sealdrop says. */
const OUTPUTS = [
  'IngestBucketName',
  'TargetBucketName',
  'TargetBucketOwner',
  'AuditBucketName',
  'AuditTableName',
  'IngestQueueUrl',
  'DeadLetterQueueUrl',
  'TargetEventsQueueUrl',
  'TargetEventsDeadLetterQueueUrl',
  'KeyArn',
  'CustomerKeySecret',
  'PolicyFingerprint',
] as const;

type OutputName = (typeof OUTPUTS)[number];

export interface Stack {
  name: string;
  /** As in `serverless deploy --stage`. */
  stage: string;
  /** CloudFormation's own word, e.g. `UPDATE_COMPLETE`. */
  status: string;
  region: string;
  account: string;
  partition: string;
  /** The REST API's address, where the stack says one. */
  apiUrl: string | null;
  ingestBucket: string;
  targetBucket: string;
  targetBucketOwner: string;
  auditBucket: string;
  auditTable: string;
  ingestQueueUrl: string;
  deadLetterQueueUrl: string;
  targetEventsQueueUrl: string;
  targetEventsDeadLetterQueueUrl: string;
  keyArn: string;
  customerKeySecret: string;
  /** `null`: no rule asks for a wrapping key. */
  wrappingKeySecret: string | null;
  policyFingerprint: string;
  /** policy.yml's `source`. A stack that does not say it is older than deleting. */
  source: 'keep' | 'delete';
}

/** @throws CannotLook: there is no such stack, it may not be seen, or it does not say what a stack of Sealdrop says */
export async function describeStack(cloudformation: CloudFormationClient, name: string): Promise<Stack> {
  const answer = await cloudformation.send(new DescribeStacksCommand({ StackName: name })).catch((cause: unknown) => {
    throw reason(cause, name);
  });
  const [stack] = answer.Stacks ?? [];
  if (stack === undefined) throw noSuchStack(name);
  const { StackStatus = 'unknown', StackId = '' } = stack;
  const outputs = new Map((stack.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]));
  refuseWithout(outputs, name, StackStatus);
  const output = (called: OutputName) => outputs.get(called) ?? '';
  // arn:aws:cloudformation:REGION:ACCOUNT:stack/NAME/ID
  const [, partition = '', , region = '', account = ''] = StackId.split(':');
  return {
    name,
    stage: stageOf(name),
    status: StackStatus,
    region,
    account,
    partition,
    apiUrl: outputs.get('ServiceEndpoint') ?? null,
    ingestBucket: output('IngestBucketName'),
    targetBucket: output('TargetBucketName'),
    targetBucketOwner: output('TargetBucketOwner'),
    auditBucket: output('AuditBucketName'),
    auditTable: output('AuditTableName'),
    ingestQueueUrl: output('IngestQueueUrl'),
    deadLetterQueueUrl: output('DeadLetterQueueUrl'),
    targetEventsQueueUrl: output('TargetEventsQueueUrl'),
    targetEventsDeadLetterQueueUrl: output('TargetEventsDeadLetterQueueUrl'),
    keyArn: output('KeyArn'),
    customerKeySecret: output('CustomerKeySecret'),
    wrappingKeySecret: outputs.get('WrappingKeySecret') ?? null,
    policyFingerprint: output('PolicyFingerprint'),
    source: outputs.get('SourceHandling') === 'delete' ? 'delete' : 'keep',
  };
}

/** While a stack is rolled back it has no outputs. */
function refuseWithout(outputs: ReadonlyMap<string, string>, name: string, status: string): void {
  const missing = OUTPUTS.filter((output) => !outputs.get(output));
  if (missing.length === 0) return;
  throw new CannotLook(
    `The stack ${name} (${status}) does not say ${missing.join(', ')}: it is no stack of Sealdrop, an older one, or one in the middle of a deployment. Deploy it: npx serverless deploy --stage …`,
  );
}

function reason(cause: unknown, name: string): CannotLook {
  // https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
  if (errorName(cause) === 'ValidationError' && /does not exist/.test(errorMessage(cause))) return noSuchStack(name);
  const hopeless = CannotLook.because(cause);
  if (hopeless !== null) return hopeless;
  if (isDenied(cause))
    return new CannotLook(`The stack ${name} may not be seen: grant cloudformation:DescribeStacks to whoever runs this.`, { cause });
  return new CannotLook(`The stack ${name} could not be described (${errorName(cause)}: ${errorMessage(cause)}).`, { cause });
}

function noSuchStack(name: string): CannotLook {
  return new CannotLook(
    `There is no stack ${name} in this account and Region. Say --stage and --region, or deploy it: npx serverless deploy --stage …`,
  );
}
