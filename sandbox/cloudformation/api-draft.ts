/** Gathers the `AWS::ApiGateway::*` resources of a template and makes an API of them. */
import {
  ACCOUNT_THROTTLE,
  type Api,
  type Authorizer,
  type GatewayResponse,
  type Integration,
  type Method,
  type Throttle,
  type Throttling,
} from '../rest-api/index.ts';
import { DeploymentError } from './deployment-error.ts';

export interface MethodDraft {
  logicalId: string;
  resourceId: string;
  httpMethod: string;
  authorizationType: string;
  authorizerId: string | null;
  integration: Integration;
}

export interface ThrottleDraft {
  /** `null`: every method without one of its own. */
  method: { httpMethod: string; resourcePath: string } | null;
  throttle: Throttle;
}

export interface StageDraft {
  logicalId: string;
  name: string;
  throttles: ThrottleDraft[];
}

export interface ApiDraft {
  restApi: { id: string; rootResourceId: string; binaryMediaTypes: string[] } | null;
  stage: StageDraft | null;
  /** By resource id. */
  resources: Map<string, { parentId: string; pathPart: string }>;
  authorizers: Map<string, Authorizer>;
  methods: MethodDraft[];
  gatewayResponses: Record<string, GatewayResponse>;
}

export function createApiDraft(): ApiDraft {
  return { restApi: null, stage: null, resources: new Map(), authorizers: new Map(), methods: [], gatewayResponses: {} };
}

/** `null` when the template has no API. @throws DeploymentError for what does not fit together. */
export function finishApi(draft: ApiDraft): Api | null {
  const { restApi } = draft;
  if (restApi === null) return null;
  const { stage } = draft;
  if (stage === null) throw new DeploymentError('The API has no stage: an AWS::ApiGateway::Deployment with a StageName is missing');
  const methods = draft.methods.map((method) => finishMethod(draft, restApi.rootResourceId, method));
  return {
    id: restApi.id,
    stage: stage.name,
    throttling: throttlingOf(stage, methods),
    binaryMediaTypes: restApi.binaryMediaTypes,
    gatewayResponses: draft.gatewayResponses,
    methods,
  };
}

/** A setting of a method that is not there would throttle nothing, so it is an error. */
function throttlingOf({ logicalId, throttles }: StageDraft, methods: readonly Method[]): Throttling {
  const names = throttles.map(nameOf);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new DeploymentError(`${logicalId}: there are two MethodSettings of ${twice}`);
  const named = throttles.filter(({ method }) => method !== null);
  const unknown = named.find(({ method }) => !methods.some((one) => takes(one, method)));
  if (unknown !== undefined) throw new DeploymentError(`${logicalId}: MethodSettings of ${nameOf(unknown)}, which the API does not have`);
  return {
    default: throttles.find(({ method }) => method === null)?.throttle ?? ACCOUNT_THROTTLE,
    methods: Object.fromEntries(named.map((draft) => [nameOf(draft), draft.throttle])),
  };
}

function nameOf({ method }: ThrottleDraft): string {
  return method === null ? '* /*' : `${method.httpMethod} ${method.resourcePath}`;
}

/** Settings name verbs, also of a method that takes ANY. */
function takes({ resourcePath, httpMethod }: Method, method: ThrottleDraft['method']): boolean {
  if (method === null || method.resourcePath !== resourcePath || method.httpMethod === 'ANY') return false;
  return httpMethod === method.httpMethod || httpMethod === 'ANY';
}

function finishMethod(draft: ApiDraft, rootResourceId: string, method: MethodDraft): Method {
  const { resourceId, httpMethod, integration, logicalId } = method;
  return {
    resourceId,
    httpMethod,
    integration,
    resourcePath: pathOf(draft, rootResourceId, resourceId, logicalId),
    authorization: authorizationOf(draft, method),
  };
}

function pathOf(draft: ApiDraft, rootResourceId: string, resourceId: string, logicalId: string): string {
  const parts: string[] = [];
  for (let id = resourceId; id !== rootResourceId; ) {
    const resource = draft.resources.get(id);
    if (resource === undefined) throw new DeploymentError(`${logicalId}: there is no API resource ${id}`);
    parts.unshift(resource.pathPart);
    id = resource.parentId;
  }
  return `/${parts.join('/')}`;
}

function authorizationOf(draft: ApiDraft, { authorizationType, authorizerId, logicalId }: MethodDraft): Method['authorization'] {
  if (authorizationType === 'NONE' || authorizationType === 'AWS_IAM') return { type: authorizationType };
  const authorizer = authorizerId === null ? undefined : draft.authorizers.get(authorizerId);
  if (authorizationType === 'CUSTOM' && authorizer !== undefined) return { type: 'CUSTOM', authorizer };
  throw new DeploymentError(`${logicalId}: AuthorizationType ${authorizationType} is none of NONE, AWS_IAM and CUSTOM with an authorizer`);
}
