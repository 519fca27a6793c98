import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bundleFunction } from '../lambda/workbench.ts';
import { openStackBench, type StackBench, s3MaySend } from './workbench.ts';

let bench: StackBench;
beforeEach(() => {
  bench = openStackBench();
});
afterEach(() => bench.close());

const key = {
  Type: 'AWS::KMS::Key',
  DeletionPolicy: 'Retain',
  Properties: {
    KeyPolicy: {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::000000000000:root' }, Action: 'kms:*', Resource: '*' }],
    },
  },
};
const trust = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
};
const bucket = (Properties: object = {}, more: object = {}) => ({
  Type: 'AWS::S3::Bucket',
  Properties: { BucketName: 'data', ...Properties },
  ...more,
});
const queue = (Properties: object = {}, more: object = {}) => ({
  Type: 'AWS::SQS::Queue',
  Properties: { QueueName: 'work', ...Properties },
  ...more,
});
const secret = (Properties: object = {}) => ({
  Type: 'AWS::SecretsManager::Secret',
  Properties: { Name: 'secret', GenerateSecretString: { PasswordLength: '64', ExcludePunctuation: 'true' }, ...Properties },
});
const table = (Properties: object = {}, more: object = {}) => ({
  Type: 'AWS::DynamoDB::Table',
  Properties: {
    TableName: 'table',
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    ...Properties,
  },
  ...more,
});

const secretValue = async () => String((await bench.services.secretsManager.call('GetSecretValue', { SecretId: 'secret' })).SecretString);
const attributes = async () =>
  Object(await bench.services.sqs.call('GetQueueAttributes', { QueueUrl: 'http://x/000000000000/work', AttributeNames: ['All'] }))
    .Attributes;

describe('resources', () => {
  test('come to be in the order of their references, whatever the order of the template', async () => {
    const stack = await bench.deploy(
      {
        Data: bucket(
          {
            VersioningConfiguration: { Status: 'Enabled' },
            BucketEncryption: {
              ServerSideEncryptionConfiguration: [
                {
                  BlockedEncryptionTypes: { EncryptionType: ['NONE'] },
                  BucketKeyEnabled: 'true',
                  ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: { 'Fn::GetAtt': ['Key', 'Arn'] } },
                },
              ],
            },
            NotificationConfiguration: { QueueConfigurations: [{ Event: 's3:ObjectCreated:*', Queue: { 'Fn::GetAtt': ['Work', 'Arn'] } }] },
            LifecycleConfiguration: { Rules: [{ Id: 'r', Status: 'Enabled', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } }] },
          },
          { DependsOn: 'WorkOpen' },
        ),
        WorkOpen: s3MaySend('Work'),
        Key: key,
        Work: queue(),
      },
      { Outputs: { KeyArn: { Value: { 'Fn::GetAtt': 'Key.Arn' } }, Url: { Value: { Ref: 'Work' } } } },
    );
    expect(stack.outputs.Url).toBe('http://127.0.0.1:1/000000000000/work');
    expect(bench.services.s3.settings('data')).toMatchObject({
      versioning: { Status: 'Enabled' },
      encryption: {
        Rules: [
          {
            BlockedEncryptionTypes: { EncryptionType: ['NONE'] },
            BucketKeyEnabled: true,
            ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: stack.outputs.KeyArn },
          },
        ],
      },
      notification: { QueueConfigurations: [{ QueueArn: 'arn:aws:sqs:us-east-1:000000000000:work', Events: ['s3:ObjectCreated:*'] }] },
      lifecycle: { Rules: [{ ID: 'r', Filter: { Prefix: '' }, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } }] },
    });
    // The first message of a queue that a bucket sends to.
    expect((await attributes()).ApproximateNumberOfMessages).toBe('1');
  });

  test('without a name get one that is the same at every deployment', async () => {
    const resources = { Data: { Type: 'AWS::S3::Bucket' }, Work: { Type: 'AWS::SQS::Queue' } };
    const first = await bench.deploy(resources);
    await bench.restart();
    const second = await bench.deploy(resources);
    expect(second.resources.get('Data')).toEqual(first.resources.get('Data'));
    expect(first.resources.get('Data')?.physicalId).toMatch(/^test-data-[0-9a-f]{12}$/);
  });

  test('of which a condition is false are not made, and Ref to one is an error', async () => {
    const Conditions = { Never: { 'Fn::Equals': ['a', 'b'] } };
    const stack = await bench.deploy(
      { Data: bucket({}, { Condition: 'Never' }) },
      { Conditions, Outputs: { Name: { Value: { Ref: 'Data' }, Condition: 'Never' } } },
    );
    expect([stack.outputs, bench.services.s3.bucketExists('data')]).toEqual([{}, false]);
    await expect(
      bench.deploy({ Data: bucket({}, { Condition: 'Never' }), Work: queue({ QueueName: { Ref: 'Data' } }) }, { Conditions }),
    ).rejects.toThrow('Work: The template refers to Data');
  });

  test('with Object Lock are versioned', async () => {
    await bench.deploy({ Data: bucket({ ObjectLockEnabled: true, VersioningConfiguration: { Status: 'Enabled' } }) });
    expect(bench.services.s3.settings('data')).toMatchObject({
      versioning: { Status: 'Enabled' },
      objectLock: { ObjectLockEnabled: 'Enabled' },
    });
  });

  test('of IAM are kept for the judge of requests', async () => {
    const document = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] };
    const role = {
      Type: 'AWS::IAM::Role',
      Properties: { RoleName: 'worker', AssumeRolePolicyDocument: trust, Policies: [{ PolicyName: 'inline', PolicyDocument: document }] },
    };
    const policy = { Type: 'AWS::IAM::Policy', Properties: { PolicyName: 'kms', PolicyDocument: document, Roles: [{ Ref: 'Role' }] } };
    await bench.deploy({ Policy: policy, Role: role });
    const found = bench.access.findRole('arn:aws:iam::000000000000:role/worker');
    expect(Object.values(found?.policies ?? {})).toEqual([document, document]);
    await bench.deploy({ Role: role });
    expect(Object.keys(bench.access.findRole('arn:aws:iam::000000000000:role/worker')?.policies ?? {})).toEqual(['inline']);
    await bench.deploy({});
    expect(bench.access.findRole('arn:aws:iam::000000000000:role/worker')).toBeNull();
  });

  test('of Lambda run with their role, and an API is made of its parts', async () => {
    await bundleFunction(bench.dir, 'fn', 'export const handler = async () => process.env.MARK;');
    const uri = (path: string, action: string) => ({
      'Fn::Sub': `arn:aws:apigateway:us-east-1:lambda:path/${path}/functions/\${Fn.Arn}/${action}`,
    });
    const { api } = await bench.deploy({
      Method: {
        Type: 'AWS::ApiGateway::Method',
        Properties: {
          RestApiId: { Ref: 'Api' },
          ResourceId: { Ref: 'Key' },
          HttpMethod: 'GET',
          AuthorizationType: 'CUSTOM',
          AuthorizerId: { Ref: 'Authorizer' },
          Integration: {
            Type: 'AWS_PROXY',
            IntegrationHttpMethod: 'POST',
            Uri: uri('2021-11-15', 'response-streaming-invocations'),
            ResponseTransferMode: 'STREAM',
            TimeoutInMillis: 900000,
          },
        },
      },
      Authorizer: {
        Type: 'AWS::ApiGateway::Authorizer',
        Properties: {
          RestApiId: { Ref: 'Api' },
          Name: 'a',
          Type: 'REQUEST',
          AuthorizerUri: uri('2015-03-31', 'invocations'),
          AuthorizerResultTtlInSeconds: 7,
          IdentitySource: 'method.request.header.A, method.request.querystring.b',
        },
      },
      Objects: {
        Type: 'AWS::ApiGateway::Resource',
        Properties: { RestApiId: { Ref: 'Api' }, ParentId: { 'Fn::GetAtt': 'Api.RootResourceId' }, PathPart: 'objects' },
      },
      Key: {
        Type: 'AWS::ApiGateway::Resource',
        Properties: { RestApiId: { Ref: 'Api' }, ParentId: { Ref: 'Objects' }, PathPart: '{key+}' },
      },
      Refusal: {
        Type: 'AWS::ApiGateway::GatewayResponse',
        Properties: {
          RestApiId: { Ref: 'Api' },
          ResponseType: 'UNAUTHORIZED',
          StatusCode: '401',
          ResponseParameters: { 'gatewayresponse.header.X-A': "'b'" },
          ResponseTemplates: { 'application/json': '{}' },
        },
      },
      Api: { Type: 'AWS::ApiGateway::RestApi', Properties: { Name: 'api' } },
      Role: { Type: 'AWS::IAM::Role', Properties: { RoleName: 'r', AssumeRolePolicyDocument: trust } },
      Deployment1: { Type: 'AWS::ApiGateway::Deployment', Properties: { RestApiId: { Ref: 'Api' }, StageName: 'dev' } },
      Fn: {
        Type: 'AWS::Lambda::Function',
        Properties: {
          FunctionName: 'fn',
          Code: { S3Bucket: 'b', S3Key: 'any/where/fn.zip' },
          Handler: 'handlers/fn.handler',
          Runtime: 'nodejs24.x',
          Role: { 'Fn::GetAtt': 'Role.Arn' },
          Environment: { Variables: { MARK: 7 } },
        },
      },
    });
    expect(api).toMatchObject({
      stage: 'dev',
      methods: [
        {
          httpMethod: 'GET',
          resourcePath: '/objects/{key+}',
          authorization: {
            type: 'CUSTOM',
            authorizer: { kind: 'REQUEST', ttlSeconds: 7, identitySources: ['method.request.header.A', 'method.request.querystring.b'] },
          },
          integration: { functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:fn', streaming: true, timeoutMs: 900000 },
        },
      ],
      gatewayResponses: { UNAUTHORIZED: { statusCode: 401, headers: { 'X-A': "'b'" }, templates: { 'application/json': '{}' } } },
    });
    expect((await bench.services.functions.invoke('fn', '{}')).payload.toString()).toBe('"7"');
  });
});

describe('a deployment on the same data', () => {
  test('keeps keys, secrets, queues and tables', async () => {
    const resources = { Key: key, Secret: secret(), Work: queue(), Table: table() };
    const first = await bench.deploy(resources);
    const value = await secretValue();
    expect(value).toMatch(/^[A-Za-z0-9]{64}$/);
    await bench.restart();
    const second = await bench.deploy(resources);
    expect([...second.resources].map(([id, { physicalId }]) => [id, physicalId])).toEqual(
      [...first.resources].map(([id, { physicalId }]) => [id, physicalId]),
    );
    expect(await secretValue()).toBe(value);
  });

  test('makes what is new and changes in place what changed', async () => {
    await bench.deploy({ Work: queue({ VisibilityTimeout: 30 }), Secret: secret(), Data: bucket() });
    const value = await secretValue();
    await bench.restart();
    await bench.deploy({
      Work: queue({ VisibilityTimeout: '60' }),
      Secret: secret({ Description: 'new' }),
      Data: bucket({ VersioningConfiguration: { Status: 'Enabled' } }),
      Table: table(),
    });
    expect((await attributes()).VisibilityTimeout).toBe('60');
    expect(await secretValue()).toBe(value);
    expect(bench.services.s3.settings('data').versioning?.Status).toBe('Enabled');
  });

  test('makes a new secret value when what generates it changed, as AWS does', async () => {
    await bench.deploy({ Secret: secret() });
    await bench.deploy({ Secret: secret({ GenerateSecretString: { PasswordLength: 10 } }) });
    expect((await secretValue()).length).toBe(10);
  });

  test('leaves alone what an operator changed by hand', async () => {
    const { resources } = await bench.deploy({ Key: key });
    const KeyId = resources.get('Key')?.physicalId ?? '';
    await bench.services.kms.call('DisableKey', { KeyId });
    await bench.restart();
    await bench.deploy({ Key: key });
    expect(Object((await bench.services.kms.call('DescribeKey', { KeyId })).KeyMetadata).KeyState).toBe('Disabled');
  });

  test('removes what the template dropped, but not what it retains', async () => {
    await bench.deploy({ Work: queue(), Data: bucket({}, { DeletionPolicy: 'Retain' }) });
    await bench.deploy({});
    expect(bench.services.s3.bucketExists('data')).toBe(true);
    await expect(bench.services.sqs.call('GetQueueUrl', { QueueName: 'work' })).rejects.toMatchObject({
      code: expect.stringContaining('QueueDoesNotExist'),
    });
    // A retained one is found again.
    await bench.deploy({ Data: bucket() });
  });

  test('finds what an interrupted one had made', async () => {
    const broken = { ...queue({ RedrivePolicy: { maxReceiveCount: 1 } }), DependsOn: ['Secret', 'Data', 'Table'] };
    await expect(bench.deploy({ Secret: secret(), Data: bucket(), Table: table(), Work: broken })).rejects.toThrow(
      'Work (AWS::SQS::Queue) could not be deployed',
    );
    const value = await secretValue();
    await bench.restart();
    await bench.deploy({ Secret: secret(), Data: bucket(), Table: table(), Work: queue() });
    expect(await secretValue()).toBe(value);
  });
});

describe('a change that would lose data', () => {
  test('is refused by name', async () => {
    await bench.deploy({ Data: bucket() });
    await expect(bench.deploy({ Data: bucket({ BucketName: 'other' }) })).rejects.toThrow(
      /Data \(AWS::S3::Bucket\): a change of BucketName would replace data and lose what it holds/,
    );
    expect(bench.services.s3.bucketExists('other')).toBe(false);
  });

  test('makes a second resource when the old one is retained', async () => {
    await bench.deploy({ Data: bucket() });
    await bench.deploy({ Data: bucket({ BucketName: 'other' }, { UpdateReplacePolicy: 'Retain' }) });
    expect(['data', 'other'].map((name) => bench.services.s3.bucketExists(name))).toEqual([true, true]);
  });

  test('is refused when both would have one name, retained or not', async () => {
    await bench.deploy({ Table: table({}, { UpdateReplacePolicy: 'Retain' }) });
    const changed = table(
      { AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }], KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }] },
      { UpdateReplacePolicy: 'Retain' },
    );
    await expect(bench.deploy({ Table: changed })).rejects.toThrow(
      /a change of KeySchema makes a new resource, which cannot have the name of table/,
    );
  });
});

describe('what the sandbox does not know', () => {
  test.each([
    [{ X: { Type: 'AWS::EC2::Instance' } }, /X is AWS::EC2::Instance.*It knows: .*AWS::S3::Bucket/s],
    [
      { Data: bucket({ WebsiteConfiguration: {} }) },
      /Data \(AWS::S3::Bucket\):\s+the sandbox does not know the property WebsiteConfiguration. It knows here: BucketName, VersioningConfiguration/,
    ],
    [
      { Data: bucket({ VersioningConfiguration: { Status: 'Enabled', Mfa: 1 } }) },
      /does not know the property VersioningConfiguration.Mfa. It knows here: Status\./,
    ],
    [
      { Data: bucket({ OwnershipControls: { Rules: [{ Other: 1 }] } }) },
      /OwnershipControls\.Rules\.0\.Other. It knows here: ObjectOwnership\./,
    ],
    [{ Work: queue({ FifoQueue: true }) }, /does not know the property FifoQueue/],
    [{ Api: { Type: 'AWS::ApiGateway::RestApi', Properties: { Name: 'x', Policy: { Statement: [] } } } }, /Policy/],
  ])('%j is an error by name', async (resources, message) => {
    await expect(bench.deploy(resources)).rejects.toThrow(message);
  });
});
