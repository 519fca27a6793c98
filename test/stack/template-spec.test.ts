import { expect, test } from 'vitest';
import { parseTemplate } from '../../sandbox/cloudformation/index.ts';
import { cycles, referenceProblems } from './template-references.ts';
import { sampleTemplate } from './template-sample.ts';
import { specProblems } from './template-spec.ts';

const withResource = (Type: string, Properties: object) => parseTemplate({ Resources: { X: { Type, Properties } } });
const queue = (Properties: object, DependsOn: string[] = []) => ({ Type: 'AWS::SQS::Queue', Properties, DependsOn });
const resources = (Resources: object, more: object = {}) => parseTemplate({ Resources, ...more });

test('the sample is valid', () => {
  expect([specProblems(sampleTemplate()), referenceProblems(sampleTemplate()), cycles(sampleTemplate())]).toEqual([[], [], []]);
});

test.each<[string, object, string | RegExp]>([
  ['AWS::S3::Buckets', {}, 'X: there is no type AWS::S3::Buckets'],
  ['AWS::SQS::Queue', { Name: 'x' }, /^X\.Name is not known\. There are: .*QueueName/],
  ['AWS::SQS::Queue', { VisibilityTimeout: 'long' }, 'X.VisibilityTimeout must be a whole number'],
  ['AWS::SQS::Queue', { VisibilityTimeout: 1.5 }, 'X.VisibilityTimeout must be a whole number'],
  ['AWS::SQS::Queue', { SqsManagedSseEnabled: 'yes' }, 'X.SqsManagedSseEnabled must be true or false'],
  ['AWS::SQS::Queue', { QueueName: ['x'] }, 'X.QueueName must be text'],
  ['AWS::SQS::Queue', { Tags: [{ Key: 'a' }] }, 'X.Tags.0.Value is missing'],
  ['AWS::SQS::QueuePolicy', { PolicyDocument: {} }, 'X.Queues is missing'],
  ['AWS::SQS::QueuePolicy', { PolicyDocument: {}, Queues: 'x' }, 'X.Queues must be a list'],
  [
    'AWS::S3::Bucket',
    { VersioningConfiguration: { Status: 'On' } },
    'X.VersioningConfiguration.Status is "On", and may be: Enabled, Suspended',
  ],
  ['AWS::S3::Bucket', { VersioningConfiguration: {} }, 'X.VersioningConfiguration.Status is missing'],
  [
    'AWS::S3::Bucket',
    { LifecycleConfiguration: { Rules: [{ Status: 'Enabled', Expires: 1 }] } },
    /^X\.LifecycleConfiguration\.Rules\.0\.Expires is not known/,
  ],
  ['AWS::S3::Bucket', { LifecycleConfiguration: 'none' }, 'X.LifecycleConfiguration must be an object'],
  ['AWS::S3::Bucket', { BucketName: { 'Fn::If': ['Own', 'x', { a: 1 }] } }, 'X.BucketName must be text'],
  ['AWS::Logs::LogGroup', { RetentionInDays: 31 }, /^X\.RetentionInDays is 31, and may be: 1, 3, 5/],
  ['AWS::CloudWatch::Alarm', { Threshold: 'much' }, 'X.Threshold must be a number'],
  ['AWS::Lambda::Function', { Code: {}, Role: 'x', Environment: { Variables: { A: [] } } }, 'X.Environment.Variables.A must be text'],
])('%s %j: %s', (type, properties, message) => {
  expect(specProblems(withResource(type, properties))).toEqual([typeof message === 'string' ? message : expect.stringMatching(message)]);
});

test.each<[string, object]>([
  ['AWS::SQS::Queue', { VisibilityTimeout: '30', SqsManagedSseEnabled: 'true', QueueName: { Ref: 'AWS::StackName' } }],
  ['AWS::SQS::Queue', { Tags: { 'Fn::If': ['Own', [{ Key: 'a', Value: 'b' }], { Ref: 'AWS::NoValue' }] } }],
  ['AWS::CloudWatch::Alarm', { Threshold: '0.5' }],
])('%s %j is valid', (type, properties) => {
  expect(specProblems(withResource(type, properties))).toEqual([]);
});

test.each<[object, object, string]>([
  [{ A: queue({ QueueName: { Ref: 'B' } }) }, {}, 'A refers to B, which is not there'],
  [{ A: queue({ QueueName: { 'Fn::Sub': `x-\${B.Arn}` } }) }, {}, 'A refers to B, which is not there'],
  [{ A: queue({}, ['B']) }, {}, 'A depends on B, which is not there'],
  [{ A: queue({}), B: queue({ QueueName: { 'Fn::GetAtt': ['A', 'Url'] } }) }, {}, 'B asks A for Url, which AWS::SQS::Queue does not have'],
  [{ A: queue({}), B: queue({ QueueName: { 'Fn::Sub': `\${A.Url}` } }) }, {}, 'B asks A for Url, which AWS::SQS::Queue does not have'],
  [{ A: queue({ QueueName: { 'Fn::GetAtt': 'P.Arn' } }) }, { Parameters: { P: { Type: 'String' } } }, 'A asks the parameter P for Arn'],
  [{ A: { ...queue({}), Condition: 'C' } }, {}, 'A asks for the condition C, which is not there'],
  [{ A: queue({ QueueName: { 'Fn::If': ['C', 'x', 'y'] } }) }, {}, 'A asks for the condition C, which is not there'],
  [{ A: queue({}) }, { Outputs: { O: { Value: { Ref: 'B' } } } }, 'the output O refers to B, which is not there'],
])('%j %j: %s', (template, more, message) => {
  expect(referenceProblems(resources(template, more))).toEqual([message]);
});

test("what stands in a Sub's own map, or is literal, is no reference", () => {
  const own = { 'Fn::Sub': [`\${Own}\${!Literal}\${AWS::Region}`, { Own: 'x' }] };
  expect(referenceProblems(resources({ A: queue({ QueueName: own }) }))).toEqual([]);
});

test.each<[object, string[]]>([
  [{ A: queue({ QueueName: { 'Fn::GetAtt': ['A', 'Arn'] } }) }, ['A → A']],
  [{ A: queue({ QueueName: { Ref: 'B' } }), B: queue({ QueueName: { 'Fn::Sub': `\${C}` } }), C: queue({}, ['A']) }, ['A → B → C → A']],
  [{ Z: queue({ QueueName: { Ref: 'A' } }), A: queue({}, ['Z']) }, ['A → Z → A']],
  [{ A: queue({}, ['C']), B: queue({}, ['C']), C: queue({}) }, []],
])('cycles of %j: %j', (template, expected) => {
  expect(cycles(resources(template))).toEqual(expected);
});
