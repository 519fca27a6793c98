/** The package that ships, deployed by a CloudFormation that we did not write. */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
  ValidateTemplateCommand,
} from '@aws-sdk/client-cloudformation';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { z } from 'zod';
import type { Target } from '../stage.ts';

const StackName = 'sealdrop-dev';
const DEPLOYMENT_BUCKET = 'conformance-deployment';
/** What Serverless uploads the package to; here it is ours. */
const OF_SERVERLESS = /^ServerlessDeploymentBucket/;
const PATIENCE_MS = 60_000;

const templateSchema = z.looseObject({
  Resources: z.record(
    z.string(),
    z.looseObject({ Type: z.string(), Properties: z.looseObject({}).optional(), DependsOn: z.unknown().optional() }),
  ),
  Outputs: z.record(z.string(), z.unknown()),
});
type Template = z.infer<typeof templateSchema>;
const codeSchema = z.object({ Code: z.object({ S3Bucket: z.unknown(), S3Key: z.string() }) });

export interface Deployment {
  status: string;
  /** By logical id. */
  resources: Record<string, string | undefined>;
  outputs: Record<string, string>;
}

export interface Package {
  template: Template;
  /** What CloudFormation says of the whole template; `null`: nothing. */
  complaint(): Promise<string | null>;
  /** Creates the stack without resources of these types. */
  deploy(without: readonly string[]): Promise<Deployment>;
}

/** Uploads the functions' code. @param artifacts what `packageStack` returned */
export async function upload(artifacts: { templatePath: string; packageDir: string }, target: Required<Target>): Promise<Package> {
  const s3 = new S3Client({ ...target, forcePathStyle: true });
  const cloudformation = new CloudFormationClient(target);
  const template = forBucket(templateSchema.parse(JSON.parse(readFileSync(artifacts.templatePath, 'utf8'))));
  await s3.send(new CreateBucketCommand({ Bucket: DEPLOYMENT_BUCKET }));
  for (const Key of codeKeys(template)) {
    const Body = readFileSync(join(artifacts.packageDir, basename(Key)));
    await s3.send(new PutObjectCommand({ Bucket: DEPLOYMENT_BUCKET, Key, Body }));
  }

  /** Above 51,200 bytes a template is taken from S3 alone: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
  async function urlOf(name: string, content: Template): Promise<string> {
    await s3.send(new PutObjectCommand({ Bucket: DEPLOYMENT_BUCKET, Key: name, Body: JSON.stringify(content) }));
    return `${target.endpoint}/${DEPLOYMENT_BUCKET}/${name}`;
  }

  return {
    template,
    async complaint() {
      const TemplateURL = await urlOf('whole.json', template);
      const call = cloudformation.send(new ValidateTemplateCommand({ TemplateURL }));
      return call.then(
        () => null,
        (error: Error) => error.message,
      );
    },
    async deploy(types) {
      const TemplateURL = await urlOf(
        'stack.json',
        without(template, ({ Type }) => types.includes(Type)),
      );
      const Capabilities = ['CAPABILITY_NAMED_IAM' as const];
      await cloudformation.send(new CreateStackCommand({ StackName, TemplateURL, Capabilities, OnFailure: 'DO_NOTHING' }));
      const { StackStatus = '', StackStatusReason = '', Outputs = [] } = await settled(cloudformation);
      const { StackResources = [] } = await cloudformation.send(new DescribeStackResourcesCommand({ StackName }));
      return {
        status: `${StackStatus} ${StackStatusReason}`.trim(),
        resources: Object.fromEntries(
          StackResources.map(({ LogicalResourceId = '', ResourceStatus }) => [LogicalResourceId, ResourceStatus]),
        ),
        outputs: Object.fromEntries(Outputs.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue])),
      };
    },
  };
}

/** The functions' code lies in our bucket, not in Serverless's. */
function forBucket(whole: Template): Template {
  const template = without(whole, (_, id) => OF_SERVERLESS.test(id));
  for (const { Type, Properties } of Object.values(template.Resources)) {
    if (Type !== 'AWS::Lambda::Function' || Properties === undefined) continue;
    Properties.Code = { S3Bucket: DEPLOYMENT_BUCKET, S3Key: codeSchema.parse(Properties).Code.S3Key };
  }
  for (const name of Object.keys(template.Outputs)) if (OF_SERVERLESS.test(name)) delete template.Outputs[name];
  return template;
}

function codeKeys(template: Template): string[] {
  const functions = Object.values(template.Resources).filter(({ Type }) => Type === 'AWS::Lambda::Function');
  return functions.map(({ Properties }) => codeSchema.parse(Properties).Code.S3Key);
}

function without(template: Template, dropped: (resource: Template['Resources'][string], id: string) => boolean): Template {
  const copy = structuredClone(template);
  const gone = Object.keys(copy.Resources).filter((id) => {
    const resource = copy.Resources[id];
    return resource !== undefined && dropped(resource, id);
  });
  for (const id of gone) delete copy.Resources[id];
  for (const resource of Object.values(copy.Resources)) {
    if (resource.DependsOn === undefined) continue;
    resource.DependsOn = [resource.DependsOn].flat().filter((id) => !gone.includes(String(id)));
  }
  return copy;
}

async function settled(cloudformation: CloudFormationClient) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const { Stacks } = await cloudformation.send(new DescribeStacksCommand({ StackName }));
    const stack = Stacks?.[0];
    if (stack === undefined) throw new Error('the stack is not described');
    if (!stack.StackStatus?.endsWith('_IN_PROGRESS')) return stack;
    if (Date.now() > deadline) throw new Error(`the stack is ${stack.StackStatus} after ${PATIENCE_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
