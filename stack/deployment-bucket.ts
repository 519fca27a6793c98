/** The bucket that Serverless makes for the functions' code: what it leaves out. */

import { modernTls } from './bucket-policies.ts';
import { lifecycle, PRIVATE } from './buckets.ts';
import { policyDocument, sub } from './cloudformation.ts';

const OLD_CODE_DAYS = 30;

/** Merged into Serverless's own resources, property by property. */
export const deploymentBucketExtensions = {
  ServerlessDeploymentBucket: {
    Properties: {
      ...PRIVATE,
      VersioningConfiguration: { Status: 'Enabled' },
      LifecycleConfiguration: lifecycle(OLD_CODE_DAYS),
    },
  },
  ServerlessDeploymentBucketPolicy: {
    Properties: { PolicyDocument: policyDocument(modernTls(sub(arn('')), sub(arn('/*')))) },
  },
};

function arn(behind: string): string {
  return `arn:\${AWS::Partition}:s3:::\${ServerlessDeploymentBucket}${behind}`;
}
