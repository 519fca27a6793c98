/** `AWS::ApiGateway::*` but for stages: gathered in the draft, made into an API at the end of the deployment. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type Definition, define, flag, integer, tags, text } from '../definition.ts';
import { DeploymentError } from '../deployment-error.ts';

/** Of an integration without one (https://docs.aws.amazon.com/apigateway/latest/api/API_Integration.html). */
const DEFAULT_TIMEOUT_MS = 29_000;
/** Of an authorizer without one. */
const DEFAULT_TTL_SECONDS = 300;

type ApiType =
  | 'AWS::ApiGateway::RestApi'
  | 'AWS::ApiGateway::Resource'
  | 'AWS::ApiGateway::Method'
  | 'AWS::ApiGateway::Authorizer'
  | 'AWS::ApiGateway::GatewayResponse';

export const restApiResources: Record<ApiType, Definition> = {
  'AWS::ApiGateway::RestApi': define({
    schema: z.strictObject({
      Name: text,
      Description: text.optional(),
      // Without a local meaning: there is one kind of endpoint, without TLS, and nothing is compressed.
      EndpointConfiguration: z.strictObject({ Types: z.array(z.enum(['EDGE', 'REGIONAL', 'PRIVATE'])) }).optional(),
      SecurityPolicy: text.optional(),
      EndpointAccessMode: z.enum(['BASIC', 'STRICT']).optional(),
      MinimumCompressionSize: integer.optional(),
      DisableExecuteApiEndpoint: flag.optional(),
      // Serverless writes an empty one when there is none.
      Policy: z.literal('').optional(),
      BinaryMediaTypes: z.array(text).optional(),
      Tags: tags.optional(),
    }),
    volatile: true,
    apply({ logicalId, properties, generatedName, api }) {
      if (api.restApi !== null) throw new DeploymentError(`${logicalId}: the sandbox has one REST API a stack`);
      const id = shortId(generatedName);
      const rootResourceId = shortId(`${generatedName}/`);
      api.restApi = { id, rootResourceId, binaryMediaTypes: properties.BinaryMediaTypes ?? [] };
      return { physicalId: id, attributes: { RestApiId: id, RootResourceId: rootResourceId } };
    },
  }),
  'AWS::ApiGateway::Resource': define({
    schema: z.strictObject({ RestApiId: text, ParentId: text, PathPart: text }),
    volatile: true,
    apply({ properties, generatedName, api }) {
      const id = shortId(generatedName);
      api.resources.set(id, { parentId: properties.ParentId, pathPart: properties.PathPart });
      return { physicalId: id, attributes: { ResourceId: id } };
    },
  }),
  'AWS::ApiGateway::Method': define({
    schema: z.strictObject({
      RestApiId: text,
      ResourceId: text,
      HttpMethod: text,
      AuthorizationType: text.default('NONE'),
      AuthorizerId: text.optional(),
      AuthorizationScopes: z.array(text).max(0).optional(),
      ApiKeyRequired: z.literal([false, 'false']).optional(),
      OperationName: text.optional(),
      // Required parameters would need a request validator, which the sandbox does not have.
      RequestParameters: z.record(z.string(), z.literal([false, 'false'])).optional(),
      MethodResponses: z.array(z.unknown()).optional(),
      Integration: z.strictObject({
        Type: z.literal('AWS_PROXY'),
        IntegrationHttpMethod: z.literal('POST'),
        Uri: text,
        TimeoutInMillis: integer.optional(),
        ResponseTransferMode: z.enum(['BUFFERED', 'STREAM']).optional(),
      }),
    }),
    volatile: true,
    apply({ logicalId, properties, generatedName, api }) {
      const { Uri, TimeoutInMillis, ResponseTransferMode } = properties.Integration;
      const { functionArn, streaming } = parseUri(logicalId, Uri);
      if (streaming !== (ResponseTransferMode === 'STREAM')) {
        throw new DeploymentError(`${logicalId}: ResponseTransferMode ${ResponseTransferMode ?? 'BUFFERED'} does not fit the Uri ${Uri}`);
      }
      api.methods.push({
        logicalId,
        resourceId: properties.ResourceId,
        httpMethod: properties.HttpMethod,
        authorizationType: properties.AuthorizationType,
        authorizerId: properties.AuthorizerId ?? null,
        integration: { functionArn, streaming, timeoutMs: TimeoutInMillis ?? DEFAULT_TIMEOUT_MS },
      });
      return { physicalId: generatedName, attributes: {} };
    },
  }),
  'AWS::ApiGateway::Authorizer': define({
    schema: z.strictObject({
      RestApiId: text,
      Name: text,
      Type: z.enum(['REQUEST', 'TOKEN']),
      AuthorizerUri: text,
      AuthorizerResultTtlInSeconds: integer.optional(),
      IdentitySource: text.optional(),
      IdentityValidationExpression: text.optional(),
    }),
    volatile: true,
    apply({ logicalId, properties, generatedName, api }) {
      const id = shortId(generatedName);
      api.authorizers.set(id, {
        id,
        kind: properties.Type,
        functionArn: parseUri(logicalId, properties.AuthorizerUri).functionArn,
        ttlSeconds: properties.AuthorizerResultTtlInSeconds ?? DEFAULT_TTL_SECONDS,
        identitySources: (properties.IdentitySource ?? '')
          .split(',')
          .map((source) => source.trim())
          .filter((source) => source !== ''),
        validation:
          properties.IdentityValidationExpression === undefined ? null : new RegExp(`^(?:${properties.IdentityValidationExpression})$`),
      });
      return { physicalId: id, attributes: { AuthorizerId: id } };
    },
  }),
  'AWS::ApiGateway::GatewayResponse': define({
    schema: z.strictObject({
      RestApiId: text,
      ResponseType: text,
      StatusCode: text.optional(),
      ResponseParameters: z.record(z.string().regex(/^gatewayresponse\.header\./), text).optional(),
      ResponseTemplates: z.record(z.string(), text).optional(),
    }),
    volatile: true,
    apply({ properties, generatedName, api }) {
      const headers = Object.entries(properties.ResponseParameters ?? {}).map(([name, value]) => [
        name.slice('gatewayresponse.header.'.length),
        value,
      ]);
      api.gatewayResponses[properties.ResponseType] = {
        statusCode: properties.StatusCode === undefined ? null : Number(properties.StatusCode),
        headers: Object.fromEntries(headers),
        templates: properties.ResponseTemplates ?? {},
      };
      return { physicalId: generatedName, attributes: { Id: generatedName } };
    },
  }),
};

/** The function behind `arn:…:lambda:path/<version>/functions/<arn>/(invocations|response-streaming-invocations)`. */
function parseUri(logicalId: string, uri: string): { functionArn: string; streaming: boolean } {
  const [, functionArn, action] = /:lambda:path\/[\d-]+\/functions\/([^/]+)\/(invocations|response-streaming-invocations)$/.exec(uri) ?? [];
  if (functionArn === undefined) throw new DeploymentError(`${logicalId}: ${uri} is not the address of a function`);
  return { functionArn, streaming: action === 'response-streaming-invocations' };
}

/** Ten characters, the same at every deployment, as API Gateway's ids look. */
export function shortId(name: string): string {
  return BigInt(`0x${createHash('sha256').update(name).digest('hex')}`)
    .toString(36)
    .slice(0, 10);
}
