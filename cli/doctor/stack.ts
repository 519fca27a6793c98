/** The deployed stack as its outputs describe it: the only source of names. */
import { type CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CannotLook } from './cannot-look.ts';
import { errorMessage, errorName, isDenied } from './look.ts';

const OUTPUTS = {
  IngestBucketName: 'ingestBucket',
  TargetBucketName: 'targetBucket',
  TargetBucketOwner: 'targetBucketOwner',
  AuditBucketName: 'auditBucket',
  AuditTableName: 'auditTable',
  IngestQueueUrl: 'ingestQueueUrl',
  DeadLetterQueueUrl: 'deadLetterQueueUrl',
  TargetEventsQueueUrl: 'targetEventsQueueUrl',
  TargetEventsDeadLetterQueueUrl: 'targetEventsDeadLetterQueueUrl',
  KeyArn: 'keyArn',
  CustomerKeySecret: 'customerKeySecret',
  PolicyFingerprint: 'policyFingerprint',
} as const;

type OutputName = keyof typeof OUTPUTS;
type Names = Record<(typeof OUTPUTS)[OutputName], string>;

export interface Stack extends Names {
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
}

const SERVICE = 'sealdrop';

export function stackNameOf(stage: string): string {
  return `${SERVICE}-${stage}`;
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
  // arn:aws:cloudformation:REGION:ACCOUNT:stack/NAME/ID
  const [, partition = '', , region = '', account = ''] = StackId.split(':');
  return {
    name,
    stage: name.startsWith(`${SERVICE}-`) ? name.slice(SERVICE.length + 1) : name,
    status: StackStatus,
    region,
    account,
    partition,
    apiUrl: outputs.get('ServiceEndpoint') ?? null,
    ...namesIn(outputs, name, StackStatus),
  };
}

/** While a stack is rolled back it has no outputs. */
function namesIn(outputs: ReadonlyMap<string, string>, name: string, status: string): Names {
  const missing = Object.keys(OUTPUTS).filter((output) => !outputs.get(output));
  if (missing.length > 0)
    throw new CannotLook(
      `The stack ${name} (${status}) does not say ${missing.join(', ')}: it is no stack of Sealdrop, an older one, or one in the middle of a deployment. Deploy it: npx serverless deploy --stage …`,
    );
  return {
    ingestBucket: outputs.get('IngestBucketName') ?? '',
    targetBucket: outputs.get('TargetBucketName') ?? '',
    targetBucketOwner: outputs.get('TargetBucketOwner') ?? '',
    auditBucket: outputs.get('AuditBucketName') ?? '',
    auditTable: outputs.get('AuditTableName') ?? '',
    ingestQueueUrl: outputs.get('IngestQueueUrl') ?? '',
    deadLetterQueueUrl: outputs.get('DeadLetterQueueUrl') ?? '',
    targetEventsQueueUrl: outputs.get('TargetEventsQueueUrl') ?? '',
    targetEventsDeadLetterQueueUrl: outputs.get('TargetEventsDeadLetterQueueUrl') ?? '',
    keyArn: outputs.get('KeyArn') ?? '',
    customerKeySecret: outputs.get('CustomerKeySecret') ?? '',
    policyFingerprint: outputs.get('PolicyFingerprint') ?? '',
  };
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
