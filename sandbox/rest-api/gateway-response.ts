/** What the gateway answers by itself: status, headers and body by response type, as the template customised them. */
import type { ServerResponse } from 'node:http';
import type { Api, GatewayResponse, GatewayResponseType } from './model.ts';
import { type GatewayRequest, headerOf } from './request.ts';

interface Default {
  status: number;
  /** `x-amzn-ErrorType`. */
  errorType: string;
  message: string;
}

const DEFAULTS: Record<GatewayResponseType, Default> = {
  ACCESS_DENIED: { status: 403, errorType: 'AccessDeniedException', message: 'User is not authorized to access this resource' },
  API_CONFIGURATION_ERROR: { status: 500, errorType: 'InternalServerErrorException', message: 'Internal server error' },
  AUTHORIZER_CONFIGURATION_ERROR: { status: 500, errorType: 'AuthorizerConfigurationException', message: 'Internal server error' },
  AUTHORIZER_FAILURE: { status: 500, errorType: 'AuthorizerFailureException', message: 'Internal server error' },
  BAD_REQUEST_PARAMETERS: { status: 400, errorType: 'BadRequestException', message: 'Bad Request' },
  EXPIRED_TOKEN: { status: 403, errorType: 'ExpiredTokenException', message: 'The security token included in the request is expired' },
  // What a function's failure answers is 502, although the table of types says 504 for integrations in general.
  INTEGRATION_FAILURE: { status: 502, errorType: 'InternalServerErrorException', message: 'Internal server error' },
  INTEGRATION_TIMEOUT: { status: 504, errorType: 'InternalServerErrorException', message: 'Endpoint request timed out' },
  INVALID_SIGNATURE: {
    status: 403,
    errorType: 'InvalidSignatureException',
    message:
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
  },
  MISSING_AUTHENTICATION_TOKEN: { status: 403, errorType: 'MissingAuthenticationTokenException', message: 'Missing Authentication Token' },
  REQUEST_TOO_LARGE: { status: 413, errorType: 'RequestTooLargeException', message: 'Request Too Long' },
  THROTTLED: { status: 429, errorType: 'TooManyRequestsException', message: 'Too Many Requests' },
  UNAUTHORIZED: { status: 401, errorType: 'UnauthorizedException', message: 'Unauthorized' },
};

const DEFAULT_TEMPLATES: Record<string, string> = { 'application/json': '{"message":$context.error.messageString}' };

/** A refusal of the gateway's own. */
export interface Refusal {
  type: GatewayResponseType;
  /** Instead of the type's own message. */
  message?: string;
  /** Instead of the type's own `x-amzn-ErrorType`. */
  errorType?: string;
  /** Instead of AWS's default templates, which those of the API go before. */
  templates?: Record<string, string>;
}

/** Answers with the response type's own entry in the template, else its class's, else AWS's default. */
export function sendGatewayResponse(api: Api, request: GatewayRequest, response: ServerResponse, refusal: Refusal): void {
  const standard = DEFAULTS[refusal.type];
  const own = api.gatewayResponses[refusal.type];
  const custom = own ?? api.gatewayResponses[standard.status < 500 ? 'DEFAULT_4XX' : 'DEFAULT_5XX'];
  // A status of DEFAULT_4XX or DEFAULT_5XX would blur all types into one; AWS applies it all the same.
  const status = custom?.statusCode ?? standard.status;
  const variables = contextOf(api, request, refusal.type, refusal.message ?? standard.message);
  const { contentType, template } = chooseTemplate(custom?.templates, refusal.templates ?? DEFAULT_TEMPLATES, request);
  const body = Buffer.from(substitute(template, variables));
  const headers: Record<string, string | number> = {
    'content-type': contentType,
    'x-amzn-errortype': refusal.errorType ?? standard.errorType,
    'x-amzn-requestid': request.requestId,
    'x-amz-apigw-id': request.extendedRequestId,
    'content-length': body.length,
  };
  for (const [name, expression] of Object.entries(custom?.headers ?? {}))
    headers[name.toLowerCase()] = evaluate(expression, request, variables);
  response.writeHead(status, headers);
  response.end(request.httpMethod === 'HEAD' ? undefined : body);
}

function chooseTemplate(
  custom: GatewayResponse['templates'] = {},
  standard: GatewayResponse['templates'],
  request: GatewayRequest,
): { contentType: string; template: string } {
  const templates = Object.keys(custom).length > 0 ? custom : standard;
  const accepted = (headerOf(request, 'accept') ?? '').split(',').map((type) => type.split(';')[0]?.trim() ?? '');
  const contentType =
    accepted.find((type) => type in templates) ?? ('application/json' in templates ? 'application/json' : Object.keys(templates)[0]);
  const chosen = contentType ?? 'application/json';
  return { contentType: chosen, template: templates[chosen] ?? '' };
}

function contextOf(api: Api, request: GatewayRequest, type: GatewayResponseType, message: string): Record<string, string> {
  return {
    'error.message': message,
    'error.messageString': JSON.stringify(message),
    'error.responseType': type,
    requestId: request.requestId,
    extendedRequestId: request.extendedRequestId,
    apiId: api.id,
    stage: api.stage,
    httpMethod: request.httpMethod,
    path: `/${api.stage}${request.path}`,
    protocol: request.protocol,
    requestTimeEpoch: String(request.time.getTime()),
    'identity.sourceIp': request.sourceIp,
    'identity.userAgent': headerOf(request, 'user-agent') ?? '',
  };
}

/** Only variables are replaced: a gateway response has no template language. */
function substitute(template: string, variables: Record<string, string>): string {
  return template.replace(/\$context\.([A-Za-z]+(?:\.[A-Za-z]+)*)/g, (_whole, name: string) => variables[name] ?? '');
}

function evaluate(expression: string, request: GatewayRequest, variables: Record<string, string>): string {
  const literal = /^'(.*)'$/s.exec(expression)?.[1];
  if (literal !== undefined) return literal;
  if (expression.startsWith('context.')) return variables[expression.slice('context.'.length)] ?? '';
  return headerOf(request, expression.replace(/^method\.request\.header\./, '')) ?? '';
}
