/** Stacks to build in tests, and their policies as IAM would read them. */
import { ACCOUNT_ID, REGION } from '../../sandbox/account.ts';
import { type AccessRequest, type Decision, openJudge, type Rule } from '../../sandbox/iam/judge.ts';
import { parsePolicy } from '../../sandbox/iam/policy.ts';
import { type Policy, policySchema } from '../../src/policy/schema.ts';
import type { PolicyDocument } from '../../stack/cloudformation.ts';
import type { Settings } from '../../stack/settings.ts';
import type { Stack } from '../../stack/stack.ts';
import { template } from '../../stack/template.ts';

export const KEY_ARN = `arn:aws:kms:${REGION}:${ACCOUNT_ID}:key/11111111-2222-3333-4444-555555555555`;
/** What `GetAtt Key.Arn` comes to here. */
export const STACK_KEY_ARN = `arn:aws:kms:${REGION}:${ACCOUNT_ID}:key/99999999-2222-3333-4444-555555555555`;
export const BREAK_GLASS = `arn:aws:iam::${ACCOUNT_ID}:role/break-glass`;

const SETTINGS: Settings = {
  policy: 'policy.yml',
  oidcIssuer: 'https://login.example.com',
  oidcAudience: 'sealdrop',
  breakGlass: [],
  ingestReaders: [],
  alarmEmail: null,
  auditLockMode: 'GOVERNANCE',
  auditLockDays: 1,
  logRetentionDays: 30,
  tracing: false,
  dataEvents: false,
  ingestBucket: null,
  targetBucket: null,
  targetBucketOwner: null,
  auditBucket: null,
  auditTable: null,
  kmsKey: null,
  operationsKey: null,
  customerKeySecret: null,
  wrappingKeySecret: null,
  sourceKeySecret: null,
  noncurrentDays: 90,
  requestsPerSecond: 1000,
  requestBurst: 2000,
  redirectAboveMiB: 190,
  partsAboveMiB: 256,
  partMiB: 64,
};

export interface GivenRule {
  match: object;
  encryption: object;
}

export function policyOf(rules: GivenRule[] = [], fallback: object = { mode: 'sse-kms' }, formerKeys: string[] = []): Policy {
  return policySchema.parse({ version: 1, rules, default: { encryption: fallback }, formerKeys });
}

export function stackOf(policy: Policy = policyOf(), settings: Partial<Settings> = {}): Stack {
  return { stage: 'qa', region: REGION, settings: { ...SETTINGS, ...settings }, policy };
}

/** Properties of a resource, with every name made out. @throws when it is not there */
export function propertiesOf(stack: Stack, logicalId: string): Record<string, unknown> {
  const resource = template(stack).Resources?.[logicalId];
  if (resource === undefined) throw new Error(`there is no ${logicalId}`);
  return plain(resource.Properties) as Record<string, unknown>;
}

export const has = (stack: Stack, logicalId: string): boolean => template(stack).Resources?.[logicalId] !== undefined;

/** A policy document of a resource's properties. */
export function documentOf(stack: Stack, logicalId: string, property: string): PolicyDocument {
  return propertiesOf(stack, logicalId)[property] as PolicyDocument;
}

/** CloudFormation's functions by what they come to in the sandbox's account. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  if ('Ref' in value) return NAMES[String(value.Ref)] ?? `<${String(value.Ref)}>`;
  if ('Fn::GetAtt' in value && Array.isArray(value['Fn::GetAtt']))
    return NAMES[value['Fn::GetAtt'].join('.')] ?? `<${value['Fn::GetAtt'].join('.')}>`;
  if ('Fn::Sub' in value) {
    return String(value['Fn::Sub']).replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) =>
      literal === '!' ? `\${${name}}` : (NAMES[name] ?? `<${name}>`),
    );
  }
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
}

export function roleArn(name: string): string {
  return `arn:aws:iam::${ACCOUNT_ID}:role/sealdrop-qa-${name}-${ACCOUNT_ID}-${REGION}`;
}

interface Asked {
  /** ARN of the role that asks; it may do anything, as far as its own policies go. */
  role: string;
  action: string;
  resource: string;
  context?: AccessRequest['context'];
}

/** What a resource's policy makes of a request of somebody whose role allows everything. */
export function judged(document: PolicyDocument, { role, action, resource, context = {} }: Asked, rule?: Rule): Decision {
  const principal = {
    arn: `arn:aws:sts::${ACCOUNT_ID}:assumed-role/${role.slice(role.lastIndexOf('/') + 1)}/session`,
    roleArn: role,
    userId: 'AROAEXAMPLE:session',
    accessKeyId: 'ASIAEXAMPLE',
  };
  return EVERYTHING.decide({ principal, action, resource, context, resourcePolicy: parsed(document) }, rule);
}

const NAMES: Record<string, string> = {
  'AWS::AccountId': ACCOUNT_ID,
  'AWS::Region': REGION,
  'AWS::Partition': 'aws',
  'AWS::URLSuffix': 'amazonaws.com',
  'Key.Arn': STACK_KEY_ARN,
};

const EVERYTHING = openJudge({
  policiesOf: () => [parsePolicy({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }, 'identity')],
});

const documents = new WeakMap<object, ReturnType<typeof parsePolicy>>();

function parsed(document: PolicyDocument) {
  const known = documents.get(document) ?? parsePolicy(document, 'resource');
  documents.set(document, known);
  return known;
}
