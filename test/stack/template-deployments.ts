/** Every kind of deployment that is looked at, packaged as it would ship. */
import { join } from 'node:path';
import { type Artifacts, LOCAL_PARAMS, packageStack } from '../../sandbox/build.ts';

const PROJECT = join(import.meta.dirname, '../..');
const ISSUER = { oidcIssuer: 'https://login.example.com' };
const OPTIONS = {
  ...ISSUER,
  tracing: 'true',
  dataEvents: 'true',
  alarmEmail: 'ops@example.com',
  breakGlass: 'arn:aws:iam::123456789012:role/break-glass,arn:aws:iam::123456789012:user/keeper',
  ingestReaders: 'arn:aws:iam::123456789012:role/scanner',
  auditLockDays: '30',
  logRetentionDays: '30',
  noncurrentDays: '30',
  partsAboveMiB: '1024',
  partMiB: '128',
};
export const BROUGHT = {
  ...ISSUER,
  auditBucket: 'evidence-of-files',
  auditTable: 'events-of-files',
  operationsKey: 'arn:aws:kms:us-east-1:123456789012:key/5678abcd-12ab-34cd-56ef-1234567890ab',
  ingestBucket: 'incoming-files',
  targetBucket: 'encrypted-files',
  targetBucketOwner: '210987654321',
  kmsKey: 'arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab',
  customerKeySecret: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:customer-key-AbCdEf',
};

export const DEPLOYMENTS: Record<string, { stage: string; policy: string; params: Record<string, string> }> = {
  'dev as shipped': { stage: 'dev', policy: 'policy.yml', params: { ...LOCAL_PARAMS } },
  'dev with every encryption': { stage: 'dev', policy: 'test/e2e/policy.yml', params: { ...LOCAL_PARAMS } },
  'the demo': { stage: 'dev', policy: 'cli/demo/policy.yml', params: { ...LOCAL_PARAMS } },
  'dev with share links': { stage: 'dev', policy: 'test/e2e/share.yml', params: { ...LOCAL_PARAMS } },
  'dev with copies in transit': { stage: 'dev', policy: 'test/e2e/transit.yml', params: { ...LOCAL_PARAMS } },
  'prod as shipped': { stage: 'prod', policy: 'policy.yml', params: ISSUER },
  'prod with every option': { stage: 'prod', policy: 'test/rights/source-delete.yml', params: OPTIONS },
  'prod with all that can be brought': { stage: 'prod', policy: 'policy.yml', params: BROUGHT },
};

/** @param name one of `DEPLOYMENTS` */
export function packageDeployment(name: string): Promise<Artifacts> {
  const deployment = DEPLOYMENTS[name];
  if (deployment === undefined) throw new Error(`there is no deployment ${name}`);
  const { stage, policy, params } = deployment;
  return packageStack({ projectDir: PROJECT, policyPath: join(PROJECT, policy), stage, params, cacheDir: join(PROJECT, '.build') });
}
