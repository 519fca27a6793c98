/** An API as it was deployed: what CloudFormation's `AWS::ApiGateway::*` resources come to. */

/** Why the gateway answers by itself (https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html). */
export type GatewayResponseType =
  | 'ACCESS_DENIED'
  | 'API_CONFIGURATION_ERROR'
  | 'AUTHORIZER_CONFIGURATION_ERROR'
  | 'AUTHORIZER_FAILURE'
  | 'BAD_REQUEST_PARAMETERS'
  | 'EXPIRED_TOKEN'
  | 'INTEGRATION_FAILURE'
  | 'INTEGRATION_TIMEOUT'
  | 'INVALID_SIGNATURE'
  | 'MISSING_AUTHENTICATION_TOKEN'
  | 'REQUEST_TOO_LARGE'
  | 'THROTTLED'
  | 'UNAUTHORIZED';

/** What a template says of a response of the gateway's own. */
export interface GatewayResponse {
  statusCode: number | null;
  /** Header name to `'literal'`, `context.…` or `method.request.header.…`. */
  headers: Record<string, string>;
  /** Content type to template. */
  templates: Record<string, string>;
}

export interface Authorizer {
  id: string;
  kind: 'TOKEN' | 'REQUEST';
  functionArn: string;
  /** 0: no cache. */
  ttlSeconds: number;
  /** e.g. `method.request.header.Authorization`; all must be there, or nobody asks the function. */
  identitySources: string[];
  /** What a token must match for the function to be asked. */
  validation: RegExp | null;
}

export type Authorization = { type: 'NONE' } | { type: 'CUSTOM'; authorizer: Authorizer } | { type: 'AWS_IAM' };

export interface Integration {
  functionArn: string;
  /** `ResponseTransferMode: STREAM`. */
  streaming: boolean;
  timeoutMs: number;
}

export interface Method {
  resourceId: string;
  /** e.g. `/objects/{key+}`. */
  resourcePath: string;
  /** `GET` …, or `ANY`. */
  httpMethod: string;
  authorization: Authorization;
  integration: Integration;
}

/** A token bucket, full at first: a request takes one token. */
export interface Throttle {
  /** Tokens that come back in a second. */
  rateLimit: number;
  /** Tokens that it holds. */
  burstLimit: number;
}

/** What the stage says of the rate of requests. */
export interface Throttling {
  /** Of every method without one of its own; each has its own bucket all the same. */
  default: Throttle;
  /** By verb and path, e.g. `GET /objects/{key+}`. */
  methods: Record<string, Throttle>;
}

export interface Api {
  id: string;
  stage: string;
  throttling: Throttling;
  binaryMediaTypes: string[];
  methods: Method[];
  /** Those of the template, by response type, `DEFAULT_4XX` and `DEFAULT_5XX` among them. */
  gatewayResponses: Record<string, GatewayResponse>;
}
