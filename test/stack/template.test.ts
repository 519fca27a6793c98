/** The compiled template, as CloudFormation and a security reviewer would judge it. No AWS account is asked. */
import { beforeAll, describe, expect, test } from 'vitest';
import { readTemplate, type Template } from '../../sandbox/cloudformation/index.ts';
import { BROUGHT, DEPLOYMENTS, packageDeployment } from './template-deployments.ts';
import { sharedNames } from './template-name-rules.ts';
import { REASONS } from './template-reasons.ts';
import { cycles, referenceProblems } from './template-references.ts';
import { RULES } from './template-rules.ts';
import { specProblems } from './template-spec.ts';

const NAMES = Object.keys(DEPLOYMENTS);

const templates = new Map<string, Template>();
beforeAll(async () => {
  for (const name of NAMES) templates.set(name, readTemplate((await packageDeployment(name)).templatePath));
}, 180_000);

describe.each(NAMES)('the template of %s', (name) => {
  test('has only types and properties that CloudFormation has', () => {
    expect(specProblems(template(name))).toEqual([]);
  });

  test('refers to what is there, in no circle', () => {
    expect([...referenceProblems(template(name)), ...cycles(template(name))]).toEqual([]);
  });

  test.each(Object.keys(RULES))('%s', (rule) => {
    expect(unexcused(name, rule)).toEqual([]);
  });

  test('says where everything is', () => {
    const own = Object.keys(template(name).Outputs).filter(
      (output) => output !== 'ServerlessDeploymentBucketName' && output !== 'ServiceEndpoint',
    );
    const transit = name === 'dev with copies in transit' ? ['TransitBucketName', 'TransitDeadLetterQueueUrl', 'TransitQueueUrl'] : [];
    expect(own.sort()).toEqual([
      'AlarmTopicArn',
      'AuditBucketName',
      'AuditTableName',
      'CustomerKeySecret',
      'DeadLetterQueueUrl',
      'IngestBucketName',
      'IngestQueueUrl',
      'KeyArn',
      'PolicyFingerprint',
      'SourceHandling',
      'TargetBucketName',
      'TargetBucketOwner',
      'TargetEventsDeadLetterQueueUrl',
      'TargetEventsQueueUrl',
      ...transit,
      ...(['dev with every encryption', 'the demo', 'prod with every option'].includes(name) ? ['WrappingKeySecret'] : []),
    ]);
  });
});

test('parts are of the size that was asked for, unless a deployment says otherwise', () => {
  const parameters = (name: string) =>
    ['PartsAboveBytes', 'PartBytes'].map((parameter) => Number(template(name).Parameters[parameter]?.Default) / 1024 ** 2);
  expect(parameters('prod as shipped')).toEqual([256, 64]);
  expect(parameters('prod with every option')).toEqual([1024, 128]);
  expect(template('prod as shipped').Resources.EncryptLambdaFunction?.Properties.Environment).toMatchObject({
    Variables: { PARTS_ABOVE_BYTES: { Ref: 'PartsAboveBytes' }, PART_BYTES: { Ref: 'PartBytes' } },
  });
});

test('two stages share no name', () => {
  expect(sharedNames(template('dev as shipped'), template('prod as shipped'))).toEqual([]);
  expect(sharedNames(template('dev with every encryption'), template('prod with every option'))).toEqual([]);
});

test('what is brought is neither made nor configured', () => {
  const types = (name: string, type: string) => Object.values(template(name).Resources).filter(({ Type }) => Type === type).length;
  const brought = 'prod with all that can be brought';
  expect(types('prod as shipped', 'AWS::SecretsManager::Secret')).toBe(1);
  expect(types(brought, 'AWS::SecretsManager::Secret')).toBe(0);
  // Serverless's own, for the functions' code, is left.
  expect([types('prod as shipped', 'AWS::S3::Bucket'), types(brought, 'AWS::S3::Bucket')]).toEqual([4, 1]);
  expect([types('prod as shipped', 'AWS::KMS::Key'), types(brought, 'AWS::KMS::Key')]).toEqual([2, 0]);
  expect([types('prod as shipped', 'AWS::DynamoDB::Table'), types(brought, 'AWS::DynamoDB::Table')]).toEqual([1, 0]);
  const configured = Object.values(template(brought).Resources)
    .filter(({ Type }) => ['AWS::S3::BucketPolicy', 'AWS::SecretsManager::ResourcePolicy'].includes(Type))
    .map(({ Properties }) => JSON.stringify([Properties.Bucket, Properties.SecretId]));
  for (const value of [BROUGHT.ingestBucket, BROUGHT.targetBucket, BROUGHT.auditBucket, BROUGHT.customerKeySecret]) {
    expect(configured.filter((holder) => holder.includes(value))).toEqual([]);
  }
});

test('whatever outlives a stack can be brought to the next one', () => {
  const kept = Object.entries(template('prod with all that can be brought').Resources).filter(([, { DeletionPolicy }]) => DeletionPolicy);
  expect(kept.map(([logicalId]) => logicalId)).toEqual([]);
  expect(Object.values(template('prod as shipped').Resources).filter(({ DeletionPolicy }) => DeletionPolicy).length).toBeGreaterThan(7);
});

test('every reason is needed somewhere', () => {
  const needed = Object.keys(RULES).flatMap((rule) =>
    NAMES.flatMap(
      (name) => RULES[rule]?.(template(name), DEPLOYMENTS[name]?.stage ?? '').map(({ subject }) => `${rule}: ${subject}`) ?? [],
    ),
  );
  const given = Object.entries(REASONS).flatMap(([rule, subjects]) => Object.keys(subjects).map((subject) => `${rule}: ${subject}`));
  expect(given.filter((reason) => !needed.includes(reason))).toEqual([]);
});

function template(name: string): Template {
  const found = templates.get(name);
  if (found === undefined) throw new Error(`${name} was not packaged`);
  return found;
}

function unexcused(name: string, rule: string): string[] {
  const findings = RULES[rule]?.(template(name), DEPLOYMENTS[name]?.stage ?? '') ?? [];
  return findings.filter(({ subject }) => REASONS[rule]?.[subject] === undefined).map(({ text }) => text);
}
