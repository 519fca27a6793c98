/** A small stack in the sandbox, for faults of every service. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../../sandbox/index.ts';
import { bundleFunction } from '../lambda/workbench.ts';

export interface Stage extends AsyncDisposable {
  sandbox: Sandbox;
  faults: Sandbox['faults'];
  /** What every SDK client of the administrator takes; one attempt, so that every fault is seen. */
  client: { endpoint: string; region: string; maxAttempts: number; credentials: Sandbox['credentials'] };
  s3: S3Client;
  queueUrl: string;
  /** What the function printed so far. */
  printed(): string;
}

const IDLE = 'export const handler = async () => {};';

/**
 * A stack of two buckets (`drop`, whose events go to the queue `events`, and `target`, which allows SSE-C and defaults to the
 * stack's key), the table `notes`, and the function `app-work`, fed by the queue `work`.
 * @param options.work source of the function
 */
export async function openStage(
  options: { work?: string; timeoutSeconds?: number; faults?: SandboxOptions['faults'] } = {},
): Promise<Stage> {
  const root = mkdtempSync(join(tmpdir(), 'sandbox-faults-'));
  const packageDir = join(root, 'package');
  mkdirSync(packageDir);
  await bundleFunction(packageDir, 'work', options.work ?? IDLE);
  const templatePath = join(packageDir, 'template.json');
  writeFileSync(templatePath, JSON.stringify(template(options.timeoutSeconds ?? 20)));
  let printed = '';
  const sandbox = await startSandbox({
    dataDir: join(root, 'data'),
    port: 0,
    apiPort: 0,
    artifacts: { templatePath, packageDir },
    limits: { s3: { minPartBytes: 1, minRangeSourceBytes: 0 } },
    log: (_name, text) => {
      printed += text;
    },
    ...(options.faults && { faults: options.faults }),
  });
  const { endpoint, region, credentials } = sandbox;
  const client = { endpoint, region, credentials, maxAttempts: 1 };
  const s3 = new S3Client({ ...client, forcePathStyle: true } satisfies S3ClientConfig);
  return {
    sandbox,
    faults: sandbox.faults,
    client,
    s3,
    queueUrl: `${endpoint}/000000000000/work`,
    printed: () => printed,
    async [Symbol.asyncDispose]() {
      s3.destroy();
      await sandbox.stop();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

function template(timeout: number): object {
  const policy = (statement: object) => ({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] });
  const queue = (QueueName: string) => ({ Type: 'AWS::SQS::Queue', Properties: { QueueName, VisibilityTimeout: 1 } });
  return {
    Resources: {
      Key: {
        Type: 'AWS::KMS::Key',
        Properties: { KeyPolicy: policy({ Principal: { AWS: { Ref: 'AWS::AccountId' } }, Action: 'kms:*', Resource: '*' }) },
      },
      Work: queue('work'),
      Events: queue('events'),
      EventsPolicy: {
        Type: 'AWS::SQS::QueuePolicy',
        Properties: {
          Queues: [{ Ref: 'Events' }],
          PolicyDocument: policy({ Principal: { Service: 's3.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: '*' }),
        },
      },
      Drop: {
        Type: 'AWS::S3::Bucket',
        DependsOn: 'EventsPolicy',
        Properties: {
          BucketName: 'drop',
          NotificationConfiguration: { QueueConfigurations: [{ Event: 's3:ObjectCreated:*', Queue: { 'Fn::GetAtt': 'Events.Arn' } }] },
        },
      },
      Target: {
        Type: 'AWS::S3::Bucket',
        Properties: {
          BucketName: 'target',
          BucketEncryption: {
            ServerSideEncryptionConfiguration: [
              {
                BlockedEncryptionTypes: { EncryptionType: ['NONE'] },
                ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: { 'Fn::GetAtt': 'Key.Arn' } },
              },
            ],
          },
        },
      },
      Table: {
        Type: 'AWS::DynamoDB::Table',
        Properties: {
          TableName: 'notes',
          BillingMode: 'PAY_PER_REQUEST',
          AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
          KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        },
      },
      Role: {
        Type: 'AWS::IAM::Role',
        Properties: {
          RoleName: 'role',
          AssumeRolePolicyDocument: policy({ Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }),
          Policies: [{ PolicyName: 'all', PolicyDocument: policy({ Action: '*', Resource: '*' }) }],
        },
      },
      Function: {
        Type: 'AWS::Lambda::Function',
        Properties: {
          FunctionName: 'app-work',
          Code: { S3Bucket: 'b', S3Key: 'x/work.zip' },
          Handler: 'handlers/work.handler',
          Runtime: 'nodejs24.x',
          Timeout: timeout,
          MemorySize: 256,
          Role: { 'Fn::GetAtt': 'Role.Arn' },
        },
      },
      Feed: {
        Type: 'AWS::Lambda::EventSourceMapping',
        Properties: {
          EventSourceArn: { 'Fn::GetAtt': 'Work.Arn' },
          FunctionName: { Ref: 'Function' },
          BatchSize: 1,
          ScalingConfig: { MaximumConcurrency: 2 },
        },
      },
    },
    Outputs: { KeyArn: { Value: { 'Fn::GetAtt': 'Key.Arn' } } },
  };
}
