import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Throttling } from '../../../sandbox/rest-api/index.ts';
import { openStackBench, type StackBench } from './workbench.ts';

let bench: StackBench;
beforeEach(() => {
  bench = openStackBench();
});
afterEach(() => bench.close());

const ACCOUNT = { rateLimit: 10_000, burstLimit: 5_000 };
const restApi = { RestApiId: { Ref: 'Api' } };
const resource = (PathPart: string, ParentId: object) => ({
  Type: 'AWS::ApiGateway::Resource',
  Properties: { ...restApi, ParentId, PathPart },
});
const method = (ResourceId: object, HttpMethod: string) => ({
  Type: 'AWS::ApiGateway::Method',
  Properties: {
    ...restApi,
    ResourceId,
    HttpMethod,
    AuthorizationType: 'AWS_IAM',
    Integration: {
      Type: 'AWS_PROXY',
      IntegrationHttpMethod: 'POST',
      Uri: 'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:fn/invocations',
    },
  },
});
const ROOT = { 'Fn::GetAtt': 'Api.RootResourceId' };
/** `GET /`, `GET /objects/{key+}` and `ANY /any`. */
const API = {
  Api: { Type: 'AWS::ApiGateway::RestApi', Properties: { Name: 'api' } },
  Objects: resource('objects', ROOT),
  Key: resource('{key+}', { Ref: 'Objects' }),
  Any: resource('any', ROOT),
  GetRoot: method(ROOT, 'GET'),
  GetKey: method({ Ref: 'Key' }, 'GET'),
  AnyAny: method({ Ref: 'Any' }, 'ANY'),
};
const setting = (HttpMethod: string, ResourcePath: string, more: object = { ThrottlingRateLimit: 1, ThrottlingBurstLimit: 2 }) => ({
  HttpMethod,
  ResourcePath,
  ...more,
});
const deployment = (Properties: object = { StageName: 'dev' }) => ({
  Type: 'AWS::ApiGateway::Deployment',
  Properties: { ...restApi, ...Properties },
});
const described = (...MethodSettings: object[]) => ({ Deployment: deployment({ StageName: 'dev', StageDescription: { MethodSettings } }) });
const stage = (Properties: object) => ({
  Deployment: deployment({}),
  Stage: {
    Type: 'AWS::ApiGateway::Stage',
    Properties: { ...restApi, DeploymentId: { Ref: 'Deployment' }, StageName: 'v1', ...Properties },
  },
});
const throttlingOf = async (resources: Record<string, object>): Promise<Throttling | undefined> =>
  (await bench.deploy({ ...API, ...resources })).api?.throttling;

test("a stage that says nothing of rates has the account's", async () => {
  expect(await throttlingOf({ Deployment: deployment() })).toEqual({ default: ACCOUNT, methods: {} });
});

test('a method may have AWS_IAM authorization', async () => {
  const { api } = await bench.deploy({ ...API, Deployment: deployment() });
  expect(api?.methods.map(({ authorization }) => authorization)).toEqual([{ type: 'AWS_IAM' }, { type: 'AWS_IAM' }, { type: 'AWS_IAM' }]);
});

describe('MethodSettings', () => {
  test('are of all methods, or of one by verb and path', async () => {
    const settings = [
      setting('*', '/*', { ThrottlingRateLimit: '50.5', ThrottlingBurstLimit: '100' }),
      setting('GET', '/'),
      setting('GET', '/~1objects~1{key+}'),
      setting('DELETE', '/~1any'),
    ];
    const own = { rateLimit: 1, burstLimit: 2 };
    expect(await throttlingOf(described(...settings))).toEqual({
      default: { rateLimit: 50.5, burstLimit: 100 },
      methods: { 'GET /': own, 'GET /objects/{key+}': own, 'DELETE /any': own },
    });
  });

  test('may stand in a stage of its own', async () => {
    const { api, resources } = await bench.deploy({ ...API, ...stage({ MethodSettings: [setting('*', '/*')], TracingEnabled: 'true' }) });
    expect(api).toMatchObject({ stage: 'v1', throttling: { default: { rateLimit: 1, burstLimit: 2 }, methods: {} } });
    expect(resources.get('Stage')?.physicalId).toBe('v1');
  });

  test('leave what they do not say to the account', async () => {
    const settings = [setting('*', '/*', { ThrottlingRateLimit: 5 }), setting('GET', '/', { LoggingLevel: 'OFF' })];
    expect(await throttlingOf(described(...settings))).toEqual({ default: { ...ACCOUNT, rateLimit: 5 }, methods: { 'GET /': ACCOUNT } });
  });

  test('of all methods may stand in the StageDescription itself', async () => {
    const Deployment = deployment({ StageName: 'dev', StageDescription: { ThrottlingRateLimit: 7, ThrottlingBurstLimit: 8 } });
    expect(await throttlingOf({ Deployment })).toEqual({ default: { rateLimit: 7, burstLimit: 8 }, methods: {} });
  });

  test.each([
    [
      'a property that the sandbox does not know',
      described(setting('*', '/*', { CachingEnabled: true })),
      /does not know the property StageDescription\.MethodSettings\.0\.CachingEnabled\. It knows here: HttpMethod, ResourcePath, ThrottlingBurstLimit/,
    ],
    ['a property of a Stage that it does not know', stage({ Variables: { a: 'b' } }), /does not know the property Variables/],
    ['a rate that is no number', described(setting('*', '/*', { ThrottlingRateLimit: 'many' })), /ThrottlingRateLimit/],
    ['a negative rate', described(setting('*', '/*', { ThrottlingRateLimit: -1 })), /ThrottlingRateLimit: is negative/],
    ['a part of a request as burst', described(setting('*', '/*', { ThrottlingBurstLimit: '1.5' })), /ThrottlingBurstLimit/],
    [
      'a wildcard for the path alone',
      described(setting('GET', '/*')),
      /MethodSettings of GET \/\*: a wildcard is \* with \/\*, or neither/,
    ],
    ['a wildcard for the verb alone', described(setting('*', '/~1any')), /a wildcard is/],
    ['a path with bare slashes', described(setting('GET', '/objects/{key+}')), /the path \/a\/b is written \/~1a~1b/],
    ['a method that is not there', described(setting('POST', '/')), /MethodSettings of POST \/, which the API does not have/],
    ['ANY, which no request says', described(setting('ANY', '/~1any')), /which the API does not have/],
    ['a method twice', described(setting('GET', '/'), setting('GET', '/')), /two MethodSettings of GET \//],
    [
      'all methods twice',
      { Deployment: deployment({ StageName: 'dev', StageDescription: { ThrottlingRateLimit: 1, MethodSettings: [setting('*', '/*')] } }) },
      /two MethodSettings of \* \/\*/,
    ],
    [
      'a description without a stage',
      { Deployment: deployment({ StageDescription: { Description: 'x' } }) },
      /a StageDescription goes with a StageName/,
    ],
    ['two stages', { ...stage({}), Deployment: deployment() }, /the sandbox has one stage, and Deployment makes it already/],
    ['no stage', { Deployment: deployment({}) }, /The API has no stage/],
  ])('with %s are an error by name', async (_what, resources, message) => {
    await expect(throttlingOf(resources)).rejects.toThrow(message);
  });
});
