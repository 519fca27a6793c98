/** The bucket policies that the template has for this stack, with CloudFormation's names filled in: brought buckets have none of it. */
import type { Policy } from '../../src/policy/schema.ts';
import { modernTls } from '../../stack/bucket-policies.ts';
import { sub } from '../../stack/cloudformation.ts';
import { rightsOf } from '../../stack/rights.ts';
import type { Settings } from '../../stack/settings.ts';
import { targetBucketStatements } from '../../stack/target-bucket-policy.ts';
import type { Stack } from '../stack.ts';
import { bucketArn } from './names.ts';

export interface ExpectedStatement {
  Sid: string;
  [member: string]: unknown;
}

/** TLS 1.2 or newer, for any bucket. */
export function tlsStatements(stack: Stack, bucket: string): ExpectedStatement[] {
  const arn = bucketArn(stack, bucket);
  return filled(stack, modernTls(sub(arn), sub(`${arn}/*`)));
}

/** @param breakGlass ARNs that may read past the API */
export function targetStatements(stack: Stack, policy: Policy, breakGlass: string[]): ExpectedStatement[] {
  const template = { stage: stack.stage, region: stack.region, policy, settings: settingsOf(stack, breakGlass) };
  return [...tlsStatements(stack, stack.targetBucket), ...filled(stack, targetBucketStatements(template, rightsOf(template)))];
}

/** Everything by the name that it has; what a bucket policy does not turn on is left at its least. */
function settingsOf(stack: Stack, breakGlass: string[]): Settings {
  return {
    policy: '',
    oidcIssuer: '',
    oidcAudience: '',
    breakGlass,
    ingestReaders: [],
    alarmEmail: null,
    auditLockMode: 'GOVERNANCE',
    auditLockDays: 1,
    logRetentionDays: 1,
    tracing: false,
    dataEvents: false,
    ingestBucket: stack.ingestBucket,
    targetBucket: stack.targetBucket,
    targetBucketOwner: stack.targetBucketOwner,
    auditBucket: stack.auditBucket,
    auditTable: stack.auditTable,
    kmsKey: stack.keyArn,
    operationsKey: null,
    customerKeySecret: stack.customerKeySecret,
    wrappingKeySecret: stack.wrappingKeySecret,
    sourceKeySecret: null,
    noncurrentDays: 1,
    requestsPerSecond: 1000,
    requestBurst: 2000,
    redirectAboveMiB: 190,
    partsAboveMiB: 256,
    partMiB: 64,
  };
}

/** Fn::Sub and Ref as CloudFormation resolves them; a template literal of IAM such as `${*}` stays. */
function filled(stack: Stack, statements: object[]): ExpectedStatement[] {
  const pseudo: Record<string, string> = {
    'AWS::AccountId': stack.account,
    'AWS::Partition': stack.partition,
    'AWS::Region': stack.region,
  };
  const text = JSON.stringify(statements, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null) return value;
    if ('Ref' in value) return pseudo[String(value.Ref)] ?? value;
    if ('Fn::Sub' in value)
      return String(value['Fn::Sub'])
        .replace(/\$\{([\w:]+)\}/g, (whole, name: string) => pseudo[name] ?? whole)
        .replaceAll('${!', '${');
    return value;
  });
  // Statements went in, with a Sid each.
  return JSON.parse(text) as ExpectedStatement[];
}
