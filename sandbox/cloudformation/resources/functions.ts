/** Lambda functions and what feeds them. */
import { basename, join } from 'node:path';
import { z } from 'zod';
import { type Definition, define, flag, integer, tags, text } from '../definition.ts';
import { DeploymentError } from '../deployment-error.ts';

/** Lambda's defaults (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html). */
const DEFAULTS = { memorySize: 128, timeoutSeconds: 3, batchSize: 10 };
const SQS_ARN = /^arn:[^:]+:sqs:[^:]+:\d{12}:[\w-]+$/;

export const functionResources: Record<
  'AWS::Lambda::Function' | 'AWS::Lambda::EventSourceMapping' | 'AWS::Lambda::Permission',
  Definition
> = {
  'AWS::Lambda::Function': define({
    schema: z.strictObject({
      FunctionName: text.optional(),
      Description: text.optional(),
      Code: z.strictObject({ S3Bucket: text, S3Key: text }),
      Handler: text,
      Runtime: text,
      Architectures: z.array(text).optional(),
      Role: text,
      MemorySize: integer.optional(),
      Timeout: integer.optional(),
      Environment: z.strictObject({ Variables: z.record(z.string(), text) }).optional(),
      // Without a local meaning: tracing, log format, a share of the account's concurrency, what becomes of functions that invoke themselves.
      TracingConfig: z.strictObject({ Mode: z.enum(['Active', 'PassThrough']) }).optional(),
      LoggingConfig: z
        .strictObject({
          LogFormat: z.enum(['Text', 'JSON']).optional(),
          LogGroup: text.optional(),
          ApplicationLogLevel: text.optional(),
          SystemLogLevel: text.optional(),
        })
        .optional(),
      ReservedConcurrentExecutions: integer.optional(),
      RecursiveLoop: z.enum(['Allow', 'Terminate']).optional(),
      Tags: tags.optional(),
    }),
    replacedBy: ['FunctionName'],
    volatile: true,
    apply({ logicalId, properties, generatedName, services, packageDir }) {
      if (!properties.Runtime.startsWith('nodejs')) {
        throw new DeploymentError(`${logicalId}: the sandbox runs functions of Node.js only, not ${properties.Runtime}`);
      }
      const lambda = services.functions.put({
        name: properties.FunctionName ?? generatedName,
        description: properties.Description ?? '',
        zipPath: join(packageDir, basename(properties.Code.S3Key)),
        handler: properties.Handler,
        runtime: properties.Runtime,
        architectures: properties.Architectures ?? ['x86_64'],
        roleArn: properties.Role,
        memorySize: properties.MemorySize ?? DEFAULTS.memorySize,
        timeoutSeconds: properties.Timeout ?? DEFAULTS.timeoutSeconds,
        variables: properties.Environment?.Variables ?? {},
      });
      return { physicalId: lambda.name, attributes: { Arn: lambda.arn } };
    },
    remove: ({ physicalId }, { functions }) => functions.remove(physicalId),
  }),
  'AWS::Lambda::EventSourceMapping': define({
    schema: z.strictObject({
      EventSourceArn: text,
      FunctionName: text,
      BatchSize: integer.optional(),
      MaximumBatchingWindowInSeconds: integer.optional(),
      ScalingConfig: z.strictObject({ MaximumConcurrency: integer.pipe(z.int().min(2).max(1000)) }).optional(),
      FunctionResponseTypes: z.array(z.literal('ReportBatchItemFailures')).optional(),
      Enabled: flag.optional(),
    }),
    volatile: true,
    apply({ logicalId, properties, generatedName, services }) {
      if (!SQS_ARN.test(properties.EventSourceArn)) {
        throw new DeploymentError(`${logicalId}: the sandbox feeds functions from SQS queues only, not from ${properties.EventSourceArn}`);
      }
      services.eventSources.put(generatedName, {
        queueArn: properties.EventSourceArn,
        functionName: properties.FunctionName,
        batchSize: properties.BatchSize ?? DEFAULTS.batchSize,
        batchingWindowSeconds: properties.MaximumBatchingWindowInSeconds ?? 0,
        maximumConcurrency: properties.ScalingConfig?.MaximumConcurrency ?? Number.POSITIVE_INFINITY,
        reportBatchItemFailures: properties.FunctionResponseTypes?.includes('ReportBatchItemFailures') ?? false,
        enabled: properties.Enabled ?? true,
      });
      return { physicalId: generatedName, attributes: { Id: generatedName } };
    },
    remove: ({ physicalId }, { eventSources }) => eventSources.remove(physicalId),
  }),
  'AWS::Lambda::Permission': define({
    schema: z.strictObject({
      FunctionName: text,
      Action: text,
      Principal: text,
      SourceArn: text.optional(),
      SourceAccount: text.optional(),
    }),
    volatile: true,
    apply({ generatedName, properties, services }) {
      const arn = services.functions.get(properties.FunctionName).arn;
      services.functions.permit(generatedName, {
        functionArn: arn,
        action: properties.Action,
        principal: properties.Principal,
        sourceArn: properties.SourceArn ?? null,
        sourceAccount: properties.SourceAccount ?? null,
      });
      return { physicalId: generatedName, attributes: { Id: generatedName, FunctionArn: arn } };
    },
    remove: ({ physicalId }, { functions }) => functions.forbid(physicalId),
  }),
};
