/** Gathers the `AWS::ApiGateway::*` resources of a template and makes an API of them. */
import type { Api, Authorizer, GatewayResponse, Integration, Method } from '../rest-api/index.ts';
import { DeploymentError } from './deployment-error.ts';

export interface MethodDraft {
  logicalId: string;
  resourceId: string;
  httpMethod: string;
  authorizationType: string;
  authorizerId: string | null;
  integration: Integration;
}

export interface ApiDraft {
  restApi: { id: string; rootResourceId: string; binaryMediaTypes: string[] } | null;
  stage: string | null;
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
  if (draft.stage === null) throw new DeploymentError('The API has no stage: an AWS::ApiGateway::Deployment with a StageName is missing');
  return {
    id: restApi.id,
    stage: draft.stage,
    binaryMediaTypes: restApi.binaryMediaTypes,
    gatewayResponses: draft.gatewayResponses,
    methods: draft.methods.map((method) => finishMethod(draft, restApi.rootResourceId, method)),
  };
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
