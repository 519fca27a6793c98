/** Every policy statement of a template, whatever kind of policy it stands in. */
import type { Template } from '../../sandbox/cloudformation/index.ts';
import { list, ofType, record, texts } from './template-values.ts';

export type PolicyKind = 'identity' | 'trust' | 'bucket' | 'key' | 'queue' | 'secret' | 'table' | 'topic';

export interface Policy {
  logicalId: string;
  kind: PolicyKind;
  /** What it is attached to, rendered: `<IngestQueue>`, a bucket's name; the role itself for a role's. */
  attachedTo: string[];
  document: Record<string, unknown>;
  statements: Statement[];
}

export interface Statement {
  logicalId: string;
  kind: PolicyKind;
  sid: string | null;
  effect: string;
  /** Without their kinds: ARNs, services, `*`. */
  principals: string[];
  actions: string[];
  resources: string[];
  /** `NotAction`, `NotResource`, `NotPrincipal`: as many as it has. */
  negations: string[];
  conditions: Condition[];
}

export interface Condition {
  operator: string;
  key: string;
  values: string[];
}

export function policiesOf(template: Template): Policy[] {
  const roles = ofType(template, 'AWS::IAM::Role').flatMap(({ logicalId, properties }) => [
    policy(logicalId, 'trust', [logicalId], properties.AssumeRolePolicyDocument),
    ...list(properties.Policies).map((each) => policy(logicalId, 'identity', [logicalId], record(each).PolicyDocument)),
  ]);
  const attached = (type: string, kind: PolicyKind, to: string, document = 'PolicyDocument') =>
    ofType(template, type).map(({ logicalId, properties }) => policy(logicalId, kind, texts(properties[to]), properties[document]));
  return [
    ...roles,
    ...attached('AWS::IAM::Policy', 'identity', 'Roles'),
    ...attached('AWS::S3::BucketPolicy', 'bucket', 'Bucket'),
    ...attached('AWS::SQS::QueuePolicy', 'queue', 'Queues'),
    ...attached('AWS::SNS::TopicPolicy', 'topic', 'Topics'),
    ...attached('AWS::SecretsManager::ResourcePolicy', 'secret', 'SecretId', 'ResourcePolicy'),
    ...ofType(template, 'AWS::DynamoDB::Table')
      .filter(({ properties }) => properties.ResourcePolicy !== undefined)
      .map(({ logicalId, properties }) => policy(logicalId, 'table', [logicalId], record(properties.ResourcePolicy).PolicyDocument)),
    ...ofType(template, 'AWS::KMS::Key').map(({ logicalId, properties }) => policy(logicalId, 'key', [logicalId], properties.KeyPolicy)),
  ];
}

export function statementsOf(template: Template): Statement[] {
  return policiesOf(template).flatMap(({ statements }) => statements);
}

/** How a finding names a statement: by its Sid, so that one reason serves every role that has it. */
export function nameOf({ logicalId, sid }: Statement): string {
  return sid ?? logicalId;
}

/** Whether an action that is written, possibly with wildcards, takes in this one. */
export function covers(written: string, action: string): boolean {
  const pattern = written
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${pattern}$`, 'i').test(action);
}

function policy(logicalId: string, kind: PolicyKind, attachedTo: string[], value: unknown): Policy {
  const document = record(value);
  return {
    logicalId,
    kind,
    attachedTo,
    document,
    statements: list(document.Statement).map((each) => statement(logicalId, kind, record(each))),
  };
}

function statement(logicalId: string, kind: PolicyKind, value: Record<string, unknown>): Statement {
  return {
    logicalId,
    kind,
    sid: value.Sid === undefined ? null : String(value.Sid),
    effect: String(value.Effect),
    principals: principalsOf(value.Principal),
    actions: texts(value.Action),
    resources: texts(value.Resource),
    negations: ['NotAction', 'NotResource', 'NotPrincipal'].filter((name) => name in value),
    conditions: Object.entries(record(value.Condition)).flatMap(([operator, keys]) =>
      Object.entries(record(keys)).map(([key, values]) => ({ operator, key, values: texts(values) })),
    ),
  };
}

function principalsOf(value: unknown): string[] {
  return typeof value === 'string' ? [value] : Object.values(record(value)).flatMap(texts);
}
