/** The policies that keys get when their creator says nothing. */
import { ACCOUNT_ID, PARTITION, REGION } from '../account.ts';

const ROOT = `arn:${PARTITION}:iam::${ACCOUNT_ID}:root`;

/** @see https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html */
export function accountPolicy(): string {
  const statement = { Sid: 'Enable IAM User Permissions', Effect: 'Allow', Principal: { AWS: ROOT }, Action: 'kms:*', Resource: '*' };
  return JSON.stringify({ Version: '2012-10-17', Id: 'key-default-1', Statement: [statement] }, null, 2);
}

/** AWS managed keys: usable through their service alone, by anyone in the account. */
export function managedPolicy(service: string): string {
  const use = {
    Sid: `Allow access through ${service} for all principals in the account that are authorized to use ${service}`,
    Effect: 'Allow',
    Principal: { AWS: '*' },
    Action: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
    Resource: '*',
    Condition: { StringEquals: { 'kms:CallerAccount': ACCOUNT_ID, 'kms:ViaService': `${service}.${REGION}.amazonaws.com` } },
  };
  const look = {
    Sid: 'Allow direct access to key metadata to the account',
    Effect: 'Allow',
    Principal: { AWS: ROOT },
    Action: ['kms:Describe*', 'kms:Get*', 'kms:List*'],
    Resource: '*',
  };
  return JSON.stringify({ Version: '2012-10-17', Id: `auto-${service}-2`, Statement: [use, look] }, null, 2);
}
