/** SQS queues and their policies. */
import { z } from 'zod';
import { ACCOUNT_ID, PARTITION, REGION } from '../../account.ts';
import { AwsError } from '../../aws-error.ts';
import { type Definition, define, flag, integer, policyDocument, tags, text, texts } from '../definition.ts';
import type { Services } from '../services.ts';

const redrive = z.record(z.string(), z.unknown());

export const queueResources: Record<'AWS::SQS::Queue' | 'AWS::SQS::QueuePolicy', Definition> = {
  'AWS::SQS::Queue': define({
    schema: z.strictObject({
      QueueName: text.optional(),
      DelaySeconds: integer.optional(),
      KmsMasterKeyId: text.optional(),
      KmsDataKeyReusePeriodSeconds: integer.optional(),
      MaximumMessageSize: integer.optional(),
      MessageRetentionPeriod: integer.optional(),
      ReceiveMessageWaitTimeSeconds: integer.optional(),
      RedrivePolicy: redrive.optional(),
      RedriveAllowPolicy: redrive.optional(),
      SqsManagedSseEnabled: flag.optional(),
      VisibilityTimeout: integer.optional(),
      Tags: tags.optional(),
    }),
    replacedBy: ['QueueName'],
    nameProperty: 'QueueName',
    holdsData: true,
    // Its URL has the port of this start.
    volatile: true,
    async apply({ properties: { QueueName, Tags, ...settings }, previous, changed, generatedName, services: { sqs, endpoint } }) {
      const name = QueueName ?? generatedName;
      const url = `${endpoint}/${ACCOUNT_ID}/${name}`;
      const Attributes = Object.fromEntries(
        Object.entries(settings).map(([attribute, value]) => [
          attribute,
          typeof value === 'object' ? JSON.stringify(value) : String(value),
        ]),
      );
      const exists = await queueExists(sqs, name);
      if (!exists) await sqs.call('CreateQueue', { QueueName: name, Attributes, tags: tagsOf(Tags) });
      const stale = exists && (previous === null || changed.size > 0);
      if (stale && Object.keys(Attributes).length > 0) await sqs.call('SetQueueAttributes', { QueueUrl: url, Attributes });
      return {
        physicalId: url,
        attributes: { Arn: `arn:${PARTITION}:sqs:${REGION}:${ACCOUNT_ID}:${name}`, QueueName: name, QueueUrl: url },
      };
    },
    remove: async ({ physicalId }, { sqs }) => void (await sqs.call('DeleteQueue', { QueueUrl: physicalId })),
  }),
  'AWS::SQS::QueuePolicy': define({
    schema: z.strictObject({ Queues: texts, PolicyDocument: policyDocument }),
    async apply({ properties, generatedName, services: { sqs } }) {
      const Attributes = { Policy: JSON.stringify(properties.PolicyDocument) };
      for (const QueueUrl of properties.Queues) await sqs.call('SetQueueAttributes', { QueueUrl, Attributes });
      return { physicalId: generatedName, attributes: { Id: generatedName } };
    },
  }),
};

async function queueExists(sqs: Services['sqs'], name: string): Promise<boolean> {
  try {
    await sqs.call('GetQueueUrl', { QueueName: name });
    return true;
  } catch (error) {
    if (error instanceof AwsError && error.code.includes('QueueDoesNotExist')) return false;
    throw error;
  }
}

function tagsOf(list: z.output<typeof tags> = []): Record<string, string> {
  return Object.fromEntries(list.map(({ Key, Value }) => [Key, Value]));
}
