import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../sandbox/index.ts';
import { tryLock } from '../../sandbox/lock.ts';
import { bundleFunction } from './lambda/workbench.ts';

const COPY = `
  import { CopyObjectCommand, S3Client } from '@aws-sdk/client-s3';
  const s3 = new S3Client({});
  export const handler = async (event) => {
    for (const { body } of event.Records) {
      for (const { s3: { bucket, object } } of JSON.parse(body).Records ?? []) {
        await s3.send(new CopyObjectCommand({ Bucket: process.env.TARGET, Key: decodeURIComponent(object.key.replaceAll('+', ' ')), CopySource: bucket.name + '/' + object.key }));
      }
    }
    return { batchItemFailures: [] };
  };`;
const READ = `
  import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
  import { pipeline } from 'node:stream/promises';
  const s3 = new S3Client({});
  export const handler = awslambda.streamifyResponse(async (event, out) => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: process.env.TARGET, Key: decodeURIComponent(event.pathParameters.key) }));
    await pipeline(Body, awslambda.HttpResponseStream.from(out, { statusCode: 200, headers: { 'X-Sub': event.requestContext.authorizer.sub } }));
  });`;
const GATE = `
  import { createRemoteJWKSet, jwtVerify } from 'jose';
  const keys = createRemoteJWKSet(new URL(process.env.ISSUER + '/jwks.json'));
  export const handler = async (event) => {
    try {
      const { payload } = await jwtVerify((event.headers.Authorization ?? event.headers.authorization).replace('Bearer ', ''), keys, { issuer: process.env.ISSUER, audience: 'me' });
      return { principalId: payload.sub, policyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: '*' }] }, context: { sub: payload.sub } };
    } catch { throw new Error('Unauthorized'); }
  };`;

const EVENT = JSON.stringify({ Records: [{ s3: { bucket: { name: 'ingest' }, object: { key: 'killed' } } }] });

let root: string;
let artifacts: SandboxOptions['artifacts'];
let running: Sandbox[] = [];
let dataDir: string;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'sealdrop-start-'));
  const packageDir = join(root, 'package');
  mkdirSync(packageDir);
  for (const [name, source] of Object.entries({ copy: COPY, read: READ, gate: GATE })) await bundleFunction(packageDir, name, source);
  const templatePath = join(packageDir, 'template.json');
  writeFileSync(templatePath, JSON.stringify(template()));
  artifacts = { templatePath, packageDir };
});
afterAll(() => rmSync(root, { recursive: true, force: true }));
beforeEach(() => {
  dataDir = mkdtempSync(join(root, 'data-'));
});
afterEach(async () => {
  await Promise.all(running.map((sandbox) => sandbox.stop()));
  running = [];
});

async function start(options: Partial<SandboxOptions> = {}): Promise<Sandbox> {
  const sandbox = await startSandbox({ dataDir, port: 0, apiPort: 0, artifacts, ...options });
  running.push(sandbox);
  return sandbox;
}

function clientOf({ endpoint, region, credentials }: Sandbox): S3Client {
  return new S3Client({ endpoint, region, credentials, forcePathStyle: true });
}

async function fetchObject(sandbox: Sandbox, key: string, token?: string): Promise<Response> {
  const authorization = `Bearer ${token ?? (await sandbox.issueToken({ sub: 'alice' }))}`;
  return fetch(`${sandbox.apiUrl}/objects/${key}`, { headers: { authorization } });
}

test('a file dropped in one bucket goes by event, queue and function to another, and comes back through the API', async () => {
  const sandbox = await start();
  const s3 = clientOf(sandbox);
  await s3.send(new PutObjectCommand({ Bucket: sandbox.outputs.IngestBucketName, Key: 'a b/é.txt', Body: 'hello' }));
  await expect.poll(async () => (await fetchObject(sandbox, 'a%20b%2F%C3%A9.txt')).status, { timeout: 10_000 }).toBe(200);
  const reply = await fetchObject(sandbox, 'a%20b/%C3%A9.txt');
  expect([await reply.text(), reply.headers.get('x-sub')]).toEqual(['hello', 'alice']);
  expect((await fetchObject(sandbox, 'a%20b/%C3%A9.txt', 'forged')).status).toBe(401);
  expect((await fetchObject(sandbox, 'missing')).status).toBe(502);
  s3.destroy();
});

test('objects, keys and tokens outlive a restart, on another port', async () => {
  const first = await start();
  const s3 = clientOf(first);
  await s3.send(new PutObjectCommand({ Bucket: first.outputs.TargetBucketName, Key: 'kept', Body: 'kept' }));
  s3.destroy();
  await first.stop();
  const second = await start();
  expect(second.outputs.KeyArn).toBe(first.outputs.KeyArn);
  expect(second.credentials.secretAccessKey).toBe(first.credentials.secretAccessKey);
  const again = clientOf(second);
  const { Body } = await again.send(new GetObjectCommand({ Bucket: second.outputs.TargetBucketName, Key: 'kept' }));
  expect(await Body?.transformToString()).toBe('kept');
  again.destroy();
});

test('a sandbox that was killed starts again with all that it had answered', async () => {
  const options = JSON.stringify({ dataDir, port: 0, apiPort: 0, artifacts });
  const script = `
    import { startSandbox } from ${JSON.stringify(new URL('../../sandbox/index.ts', import.meta.url).href)};
    const sandbox = await startSandbox(${options});
    console.log(JSON.stringify({ endpoint: sandbox.endpoint, region: sandbox.region, credentials: sandbox.credentials }));`;
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module-typescript', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout, 'data');
  const s3 = new S3Client({ ...JSON.parse(String(line)), forcePathStyle: true });
  await s3.send(new PutObjectCommand({ Bucket: 'ingest', Key: 'killed', Body: 'not lost' }));
  s3.destroy();
  child.kill('SIGKILL');
  await once(child, 'exit');
  // Whether the function had copied it before or has to now: the message may be out of sight for the rest of its time-out.
  const sandbox = await start();
  await sandbox.services.sqs.call('SendMessage', { QueueUrl: 'http://x/000000000000/work', MessageBody: EVENT });
  await expect.poll(async () => (await fetchObject(sandbox, 'killed')).status, { timeout: 10_000 }).toBe(200);
  expect(await (await fetchObject(sandbox, 'killed')).text()).toBe('not lost');
});

test('the environment names endpoint, region, administrator, outputs, API and a token', async () => {
  const sandbox = await start();
  const environment = sandbox.environment();
  expect(environment).toMatchObject({
    AWS_ENDPOINT_URL: sandbox.endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: sandbox.credentials.accessKeyId,
    SEALDROP_API_URL: sandbox.apiUrl,
    SEALDROP_INGEST_BUCKET: 'ingest',
    SEALDROP_KMS_KEY_ARN: sandbox.outputs.KeyArn,
  });
  const [, payload = ''] = (environment.SEALDROP_TOKEN ?? '').split('.');
  expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toMatchObject({
    sub: 'sandbox',
    groups: ['sealdrop-readers'],
    aud: 'me',
  });
});

test('a port in use is said by name, and leaves nothing behind', async () => {
  const holder = createServer();
  const port = await new Promise<number>((resolve) => holder.listen(0, '127.0.0.1', () => resolve(Object(holder.address()).port)));
  try {
    await expect(start({ port })).rejects.toThrow(
      `Port ${port} for the AWS services is in use. Stop what uses it, or choose another one with --port`,
    );
    await expect(start({ apiPort: port })).rejects.toThrow(`Port ${port} for the REST API is in use`);
    await start();
  } finally {
    holder.close();
  }
});

test('a second sandbox on one data folder is refused until the first stops', async () => {
  const first = await start();
  await expect(start()).rejects.toThrow(`The data folder ${dataDir} is in use`);
  await first.stop();
  await (await start()).stop();
});

test('a lock ends with the process that held it, however that died', async () => {
  const module = JSON.stringify(join(import.meta.dirname, '../../sandbox/lock.ts'));
  const path = join(dataDir, 'lock.db');
  mkdirSync(dataDir, { recursive: true });
  const script = `const { tryLock } = await import(${module}); tryLock(${JSON.stringify(path)}); console.log('held'); setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(holder.stdout, 'data');
  expect(tryLock(path)).toBeNull();
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const release = tryLock(path);
  expect(release).not.toBeNull();
  release?.();
});

test('stopping twice is fine, and no worker, server or timer is left', async () => {
  const before = process
    .getActiveResourcesInfo()
    .filter((name) => name !== 'Immediate')
    .sort();
  const sandbox = await start();
  await fetchObject(sandbox, 'x');
  await sandbox.stop();
  await sandbox.stop();
  // Connections of this test's own client close a moment later.
  await expect
    .poll(
      () =>
        process.getActiveResourcesInfo().filter((name) => name.startsWith('Worker') || name.includes('Server') || name === 'MessagePort')
          .length,
    )
    .toBe(before.filter((name) => name.startsWith('Worker') || name.includes('Server') || name === 'MessagePort').length);
});

test('a template that cannot be deployed leaves ports and folder free', async () => {
  const templatePath = join(root, 'broken.json');
  writeFileSync(templatePath, JSON.stringify({ Resources: { X: { Type: 'AWS::EC2::Instance' } } }));
  await expect(start({ artifacts: { ...artifacts, templatePath } })).rejects.toThrow('X is AWS::EC2::Instance');
  await start();
});

test('functions print into a file each', async () => {
  const sandbox = await start();
  await fetchObject(sandbox, 'missing');
  await sandbox.stop();
  expect(readFileSync(join(dataDir, 'logs', 'read.log'), 'utf8')).toContain('NoSuchKey');
});

function template(): object {
  const lambda = (name: string, Variables: object = {}) => ({
    Type: 'AWS::Lambda::Function',
    Properties: {
      FunctionName: name,
      Code: { S3Bucket: 'b', S3Key: `x/${name}.zip` },
      Handler: `handlers/${name}.handler`,
      Runtime: 'nodejs24.x',
      Timeout: 20,
      MemorySize: 256,
      Role: { 'Fn::GetAtt': 'Role.Arn' },
      Environment: { Variables },
    },
  });
  const uri = (fn: string, path: string) => ({
    'Fn::Join': ['', ['arn:aws:apigateway:us-east-1:lambda:path/2021-11-15/functions/', { 'Fn::GetAtt': [fn, 'Arn'] }, path]],
  });
  const policy = (statement: object) => ({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] });
  const invocable = (fn: string) => ({
    Type: 'AWS::Lambda::Permission',
    Properties: {
      FunctionName: { 'Fn::GetAtt': [fn, 'Arn'] },
      Action: 'lambda:InvokeFunction',
      Principal: 'apigateway.amazonaws.com',
      SourceArn: { 'Fn::Sub': `arn:\${AWS::Partition}:execute-api:\${AWS::Region}:\${AWS::AccountId}:\${Api}/*/*` },
    },
  });
  return {
    Parameters: { OidcIssuer: { Type: 'String', Default: 'https://issuer.example.com' }, OidcAudience: { Type: 'String', Default: 'me' } },
    Resources: {
      Ingest: {
        Type: 'AWS::S3::Bucket',
        DependsOn: 'WorkPolicy',
        Properties: {
          BucketName: 'ingest',
          NotificationConfiguration: { QueueConfigurations: [{ Event: 's3:ObjectCreated:*', Queue: { 'Fn::GetAtt': 'Work.Arn' } }] },
        },
      },
      Target: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'target' } },
      Key: {
        Type: 'AWS::KMS::Key',
        Properties: { KeyPolicy: policy({ Principal: { AWS: { Ref: 'AWS::AccountId' } }, Action: 'kms:*', Resource: '*' }) },
      },
      Work: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'work', VisibilityTimeout: 120 } },
      WorkPolicy: {
        Type: 'AWS::SQS::QueuePolicy',
        Properties: {
          Queues: [{ Ref: 'Work' }],
          PolicyDocument: policy({ Principal: { Service: 's3.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: '*' }),
        },
      },
      Role: {
        Type: 'AWS::IAM::Role',
        Properties: {
          RoleName: 'role',
          AssumeRolePolicyDocument: policy({ Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }),
          Policies: [{ PolicyName: 'all', PolicyDocument: policy({ Action: ['logs:*', 'sqs:*', 's3:*', 'kms:*'], Resource: '*' }) }],
        },
      },
      ReadByApi: invocable('Read'),
      GateByApi: invocable('Gate'),
      Copy: lambda('copy', { TARGET: { Ref: 'Target' } }),
      Read: lambda('read', { TARGET: { Ref: 'Target' } }),
      Gate: lambda('gate', { ISSUER: { Ref: 'OidcIssuer' } }),
      Feed: {
        Type: 'AWS::Lambda::EventSourceMapping',
        Properties: {
          EventSourceArn: { 'Fn::GetAtt': 'Work.Arn' },
          FunctionName: { Ref: 'Copy' },
          FunctionResponseTypes: ['ReportBatchItemFailures'],
          ScalingConfig: { MaximumConcurrency: 2 },
        },
      },
      Api: { Type: 'AWS::ApiGateway::RestApi', Properties: { Name: 'api' } },
      Objects: {
        Type: 'AWS::ApiGateway::Resource',
        Properties: { RestApiId: { Ref: 'Api' }, ParentId: { 'Fn::GetAtt': 'Api.RootResourceId' }, PathPart: 'objects' },
      },
      AnyKey: {
        Type: 'AWS::ApiGateway::Resource',
        Properties: { RestApiId: { Ref: 'Api' }, ParentId: { Ref: 'Objects' }, PathPart: '{key+}' },
      },
      Auth: {
        Type: 'AWS::ApiGateway::Authorizer',
        Properties: {
          RestApiId: { Ref: 'Api' },
          Name: 'gate',
          Type: 'REQUEST',
          AuthorizerUri: uri('Gate', '/invocations'),
          IdentitySource: 'method.request.header.Authorization',
        },
      },
      Get: {
        Type: 'AWS::ApiGateway::Method',
        Properties: {
          RestApiId: { Ref: 'Api' },
          ResourceId: { Ref: 'AnyKey' },
          HttpMethod: 'GET',
          AuthorizationType: 'CUSTOM',
          AuthorizerId: { Ref: 'Auth' },
          Integration: {
            Type: 'AWS_PROXY',
            IntegrationHttpMethod: 'POST',
            Uri: uri('Read', '/response-streaming-invocations'),
            ResponseTransferMode: 'STREAM',
          },
        },
      },
      Deployment: { Type: 'AWS::ApiGateway::Deployment', DependsOn: 'Get', Properties: { RestApiId: { Ref: 'Api' }, StageName: 'dev' } },
    },
    Outputs: {
      IngestBucketName: { Value: { Ref: 'Ingest' } },
      TargetBucketName: { Value: { Ref: 'Target' } },
      KeyArn: { Value: { 'Fn::GetAtt': 'Key.Arn' } },
    },
  };
}
