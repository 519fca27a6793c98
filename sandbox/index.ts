/**
 * Sealdrop's local AWS: S3, KMS, Secrets Manager, SQS, DynamoDB, Lambda, STS, IAM and CloudFormation on one port, the stack's REST API on a
 * second, plain HTTP on loopback. Deploys the CloudFormation that `serverless package` made.
 *
 * What it does not do (2026-11-21) stands at the head of each service's main file, of its judgement in `iam/judge.ts`. Of the
 * whole: one account, one user beside it, one Region, no TLS.
 */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { REGION } from './account.ts';
import { createCloudFormation, type DescribedStack, deployStack, readTemplate, type Services } from './cloudformation/index.ts';
import { openDynamoDb } from './dynamodb/dynamodb.ts';
import { type FaultPlan, type Faults, OWN_SERVICE, openFaults } from './faults/index.ts';
import { openAccess } from './iam/access.ts';
import { createIam } from './iam/iam.ts';
import { createTokenService } from './issuer/endpoint.ts';
import { ISSUER_PATH, type Issuer, openIssuer, type TokenRequest } from './issuer/issuer.ts';
import { openKms } from './kms/kms.ts';
import { createLambdaService, type LogSink, openEventSourceMappings, openFunctions } from './lambda/index.ts';
import { tryLock } from './lock.ts';
import { namedOutputs } from './output-variables.ts';
import { openRestApi } from './rest-api/index.ts';
import { openS3 } from './s3/index.ts';
import type { Limits as S3Limits } from './s3/limits.ts';
import { openSecretsManager } from './secrets-manager/secrets-manager.ts';
import type { Service } from './service.ts';
import { openSqs } from './sqs/sqs.ts';
import { StartError } from './start-error.ts';
import { openState } from './state.ts';
import { createSts } from './sts/sts.ts';
import { openCredentials } from './wire/credentials.ts';
import { createAwsServer } from './wire/server.ts';

export { DeploymentError } from './cloudformation/index.ts';
export {
  type FaultPlan,
  FaultPlanError,
  type FaultReport,
  type FaultRule,
  type Faults,
  formatReport,
  type ObservedCall,
} from './faults/index.ts';
export type { TokenRequest } from './issuer/issuer.ts';
export { StartError } from './start-error.ts';

const DEFAULT_PORT = 4566;
const DEFAULT_API_PORT = 3000;
/** A batch's work is mostly waiting for S3, and more threads than this slow a laptop down. */
const DEFAULT_CONSUMERS = 4;
const DEFAULT_TOKEN: TokenRequest = { sub: 'sandbox', groups: ['sealdrop-readers'] };
const DEFAULT_STACK = 'sealdrop-dev';

export interface SandboxOptions {
  /** Keeps everything between restarts; made when missing. */
  dataDir: string;
  /** Of the AWS services; 0: any free one. Default 4566. */
  port?: number;
  /** Of the REST API; 0: any free one. Default 3000. */
  apiPort?: number;
  /** What `packageStack` returned. */
  artifacts: { templatePath: string; packageDir: string };
  stackName?: string;
  /** Over the template's defaults. `OidcIssuer` is the sandbox's own issuer unless given. */
  parameters?: Record<string, string>;
  limits?: {
    s3?: Partial<S3Limits>;
    /** Most environments of one function at once; default 8. */
    maxEnvironments?: number;
    /** Most batches of one queue at once; default 4. */
    maxConsumers?: number;
    maxStreamedBytes?: number;
  };
  /** Gets what functions print; default: `<dataDir>/logs/<function>.log`. */
  log?: LogSink;
  /** What fails from the start; `sandbox.faults` changes it. */
  faults?: FaultPlan;
  /** Of the token in `environment()`; default: a member of the group `sealdrop-readers`. */
  defaultToken?: TokenRequest;
}

export interface Sandbox {
  /** Origin of the AWS services. */
  endpoint: string;
  /** Origin of the REST API; locally the stage is not part of its paths. */
  apiUrl: string;
  region: string;
  /** The administrator's. */
  credentials: { accessKeyId: string; secretAccessKey: string };
  /** The stack's outputs by name. */
  outputs: Record<string, string>;
  /** The services in process, for tests. */
  services: Services;
  /** Makes calls fail on demand, and tells of calls that pass. */
  faults: Faults;
  /** What a function signs its calls with. @throws AwsError ResourceNotFoundException */
  functionCredentials(functionName: string): { accessKeyId: string; secretAccessKey: string; sessionToken: string };
  /** A signed JWT of the sandbox's issuer. */
  issueToken(request: TokenRequest): Promise<string>;
  /** What `<data>/env` holds. */
  environment(): Record<string, string>;
  /** Closes everything; resolves when no handle is left. */
  stop(): Promise<void>;
}

/**
 * Starts the services, deploys the stack and opens the API; resolves when all of it is ready.
 * @throws StartError (a port or the data folder is in use), DeploymentError (the template), FaultPlanError
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const closers: (() => void | Promise<void>)[] = [];
  const stop = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    return await start(options, (close) => closers.push(close), stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  options: SandboxOptions,
  onStop: (close: () => void | Promise<void>) => void,
  stop: () => Promise<void>,
): Promise<Sandbox> {
  const { limits = {}, artifacts } = options;
  const template = readTemplate(artifacts.templatePath);
  const dataDir = resolve(options.dataDir);
  const faults = openFaults(
    { environmentOf: (accessKeyId) => functions.environmentOf(accessKeyId), copiedBytes: (request) => s3.copiedBytes(request) },
    options.faults,
  );
  onStop(lockData(dataDir));
  const state = openState(dataDir);
  onStop(() => state.close());

  let endpoint = '';
  const credentials = openCredentials(state);
  const kms = openKms(state);
  const secretsManager = openSecretsManager(state, kms);
  const sqs = openSqs(state);
  onStop(() => sqs.close());
  const dynamodb = openDynamoDb(state);
  onStop(() => dynamodb.close());
  const access = openAccess(state);
  const { judge } = access;
  const s3 = openS3({
    state,
    keys: faults.dataKeys(kms),
    judge,
    notify: faults.sink(sqs.publish),
    ...(limits.s3 && { limits: limits.s3 }),
  });
  const parameters = { ...options.parameters };
  const audience = () => parameters.OidcAudience ?? String(template.Parameters.OidcAudience?.Default ?? '');
  const issuer: Issuer = await openIssuer(state, { endpoint: () => endpoint, audience });
  const functions = openFunctions({
    state,
    credentials,
    endpoint: () => endpoint,
    ...(options.log && { log: options.log }),
    ...(limits.maxEnvironments !== undefined && { maxEnvironments: limits.maxEnvironments }),
  });

  let stack: DescribedStack | null = null;
  const server = createAwsServer({
    credentials,
    services: {
      s3,
      kms,
      secretsmanager: secretsManager,
      sqs,
      dynamodb,
      lambda: createLambdaService(functions, judge),
      sts: createSts(judge),
      iam: createIam(access),
      cloudformation: createCloudFormation(state, judge, () => stack),
      [OWN_SERVICE]: createTokenService(issuer, faults.service),
    },
    interceptor: faults.interceptor,
    local: { [ISSUER_PATH]: issuer.service, '/_sandbox/health': HEALTH },
  });
  onStop(() => server.close());
  onStop(() => faults.close());
  endpoint = (await listen(server, options.port ?? DEFAULT_PORT, 'the AWS services', '--port')).url;

  const restApi = openRestApi({
    functions,
    credentials,
    judge,
    ...(limits.maxStreamedBytes !== undefined && { maxStreamedBytes: limits.maxStreamedBytes }),
  });
  onStop(() => restApi.close());
  onStop(() => functions.stop());
  const eventSources = openEventSourceMappings({ queues: sqs, functions, maxConcurrency: limits.maxConsumers ?? DEFAULT_CONSUMERS });
  onStop(() => eventSources.stop());
  // Taken before the deployment: a port in use should not cost the time of one.
  const apiUrl = (await listen(restApi, options.apiPort ?? DEFAULT_API_PORT, 'the REST API', '--api-port')).url;

  if ('OidcIssuer' in template.Parameters) parameters.OidcIssuer ??= `${endpoint}${ISSUER_PATH}`;
  const services: Services = { endpoint, s3, kms, secretsManager, sqs, dynamodb, functions, eventSources, access };
  const stackName = options.stackName ?? DEFAULT_STACK;
  const { outputs, api } = await deployStack({ state, services, stackName, template, parameters, packageDir: artifacts.packageDir });
  stack = { name: stackName, outputs, parameters, deployed: new Date() };
  if (api !== null) restApi.deploy(api);

  const { accessKeyId, secretAccessKey } = credentials.administrator();
  const token = await issuer.issueToken(options.defaultToken ?? DEFAULT_TOKEN);
  const functionCredentials: Sandbox['functionCredentials'] = (functionName) => {
    const { name, roleArn } = functions.get(functionName);
    const issued = credentials.issueForRole(`function:${name}`, { roleArn, sessionName: name });
    return { accessKeyId: issued.accessKeyId, secretAccessKey: issued.secretAccessKey, sessionToken: issued.sessionToken ?? '' };
  };
  return {
    endpoint,
    apiUrl,
    region: REGION,
    credentials: { accessKeyId, secretAccessKey },
    outputs,
    services,
    faults,
    functionCredentials,
    issueToken: issuer.issueToken,
    environment: () => ({
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: REGION,
      // Version 1 of the AWS CLI knows this name only.
      AWS_DEFAULT_REGION: REGION,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      ...namedOutputs(outputs),
      SEALDROP_STACK: stackName,
      SEALDROP_API_URL: apiUrl,
      SEALDROP_TOKEN: token,
      // By which `serverless invoke local` runs a function under its own role, as Lambda does.
      SEALDROP_FUNCTION_CREDENTIALS: JSON.stringify(
        Object.fromEntries(functions.list().map(({ name }) => [name, functionCredentials(name)])),
      ),
    }),
    stop,
  };
}

const HEALTH: Service = {
  async handle(_request, response) {
    const body = '{"status":"ok"}';
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
    response.end(body);
  },
};

function lockData(dataDir: string): () => void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const lock = tryLock(join(dataDir, 'lock.db'));
  if (lock !== null) return lock;
  throw new StartError(`The data folder ${dataDir} is in use. Stop the sandbox that has it, or give this one another folder (--data).`);
}

async function listen(
  server: { listen(port: number): Promise<{ url: string }> },
  port: number,
  what: string,
  flag: string,
): Promise<{ url: string }> {
  try {
    return await server.listen(port);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EADDRINUSE') {
      throw new StartError(`Port ${port} for ${what} is in use. Stop what uses it, or choose another one with ${flag} (0: any free one).`, {
        cause: error,
      });
    }
    if (code === 'EACCES')
      throw new StartError(`Port ${port} for ${what} needs rights that this user lacks. Choose one above 1023 with ${flag}.`, {
        cause: error,
      });
    throw error;
  }
}
