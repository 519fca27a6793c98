/** Reads of files and of their copies past the API, which S3 events never tell: CloudTrail records them, as an option since it costs by the event. */
import { usesTransit } from '../src/policy/downloads.ts';
import { type Part, sub } from './cloudformation.ts';
import { operationsKeyId } from './keys-in-use.ts';
import { bucketArn, bucketName, nameOf } from './names.ts';
import type { Stack } from './stack.ts';

/** The files go to the audit bucket, under its Object Lock, below AWSLogs/. */
export function dataEvents(stack: Stack): Part {
  if (!stack.settings.dataEvents) return {};
  const transit = usesTransit(stack.policy);
  const read = (['ingest', 'target', ...(transit ? (['transit'] as const) : [])] as const).map((which) =>
    sub(`${bucketArn(stack, which)}/`),
  );
  return {
    Resources: {
      ReadsTrail: {
        Type: 'AWS::CloudTrail::Trail',
        // CloudTrail asks whether it may write; in a brought bucket its owner must have said so.
        ...(stack.settings.auditBucket === null ? { DependsOn: 'AuditBucketPolicy' } : {}),
        Properties: {
          TrailName: sub(nameOf(stack, 'reads')),
          S3BucketName: sub(bucketName(stack, 'audit')),
          KMSKeyId: operationsKeyId(stack),
          IsLogging: true,
          EnableLogFileValidation: true,
          IsMultiRegionTrail: false,
          IncludeGlobalServiceEvents: false,
          AdvancedEventSelectors: [
            {
              Name: `reads of the ${transit ? 'ingest, target and transit' : 'ingest and target'} buckets`,
              FieldSelectors: [
                { Field: 'eventCategory', Equals: ['Data'] },
                { Field: 'resources.type', Equals: ['AWS::S3::Object'] },
                { Field: 'resources.ARN', StartsWith: read },
                { Field: 'readOnly', Equals: ['true'] },
              ],
            },
          ],
        },
      },
    },
  };
}
