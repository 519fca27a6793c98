/**
 * Lambda: functions run from their built bundles, each execution environment a worker thread.
 *
 * What it does not do (2026-11-21):
 * - versions, aliases, layers, container images, extensions, provisioned concurrency, VPC, file systems, X-Ray;
 * - retries and destinations of asynchronous invocations (`Event` runs once);
 * - throttling: invocations above the limit of environments wait;
 * - `InvokeWithResponseStream` on the wire (the REST API streams in process);
 * - freezing between invocations: timers of a handler go on;
 * - a working directory, temporary directory and time zone of the function's own: threads share the process's;
 * - memory: the limit is that of the JavaScript heap, buffers do not count.
 */
import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { AwsError } from '../aws-error.ts';
import { openAccess } from '../iam/access.ts';
import type { PolicyDocument } from '../iam/policy.ts';
import { lambdaRefusal } from '../iam/refusal.ts';
import type { EventSource, Principal } from '../service.ts';
import type { State } from '../state.ts';
import type { Credentials } from '../wire/credentials.ts';
import { unpackBundle } from './bundle.ts';
import type { Outcome } from './environment.ts';
import { functionArn, functionName } from './function-name.ts';
import { mayLog } from './logging-right.ts';
import { type LogSink, openLogs } from './logs.ts';
import { createPermissions, type Permission, sourceContext } from './permissions.ts';
import { createPool, type Pool } from './pool.ts';
import type { FunctionFailure } from './protocol.ts';
import { createSignedEnvironments } from './signed-environments.ts';

/** Environments of a function unless its configuration says otherwise. */
const DEFAULT_ENVIRONMENTS = 8;
/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const MAX_BUFFERED_PAYLOAD = 6 * 1024 * 1024;

const SERVICE = 'lambda.amazonaws.com';

/** A function as CloudFormation describes it. */
export interface FunctionConfiguration {
  name: string;
  description: string;
  zipPath: string;
  handler: string;
  runtime: string;
  architectures: string[];
  roleArn: string;
  /** MB. */
  memorySize: number;
  timeoutSeconds: number;
  variables: Record<string, string>;
}

/** A function as it is deployed. */
export interface LambdaFunction extends FunctionConfiguration {
  arn: string;
  codeSha256: string;
  codeSize: number;
  lastModified: string;
}

/** A buffered invocation: `payload` is JSON text, the failure's when there is one. */
export interface InvokeResult {
  requestId: string;
  functionError: 'Unhandled' | null;
  payload: Buffer;
}

/** A streamed invocation that reached its first byte (or ended without any). */
export interface StreamResult {
  requestId: string;
  contentType: string;
  body: Readable | null;
}

export interface LambdaOptions {
  state: State;
  credentials: Credentials;
  /** Of the sandbox's AWS services; asked when a function is put. */
  endpoint: () => string;
  /** Most environments of a function at once. */
  maxEnvironments?: number;
  /** How long an idle environment stays warm. */
  idleMs?: number;
  /** Gets what functions print; default: `<data>/logs/<function>.log`. */
  log?: LogSink;
}

export interface Functions {
  /**
   * Creates or updates a function. An update lets running invocations finish in the old environments.
   * @throws AwsError when its role is missing or does not trust Lambda
   */
  put(configuration: FunctionConfiguration): LambdaFunction;
  remove(name: string): void;
  list(): LambdaFunction[];
  /** By name, ARN or partial ARN. @throws AwsError ResourceNotFoundException */
  get(nameOrArn: string): LambdaFunction;
  /** Runs a function and gathers its answer, also a streamed one. @throws AwsError ResourceNotFoundException */
  invoke(nameOrArn: string, event: string): Promise<InvokeResult>;
  /** Resolves at the first byte. A failure before it gives an InvokeResult; after it, `body` errors. Destroying `body` tells the function. */
  invokeStreaming(nameOrArn: string, event: string): Promise<StreamResult | InvokeResult>;
  /** Lets somebody invoke a function, beside those whose identity policies do. @throws PolicyError */
  permit(id: string, permission: Permission): void;
  forbid(id: string): void;
  /** What `permit` came to. */
  policyOf(functionArn: string): PolicyDocument | null;
  /** For a service that is about to invoke. @throws AwsError AccessDeniedException, ResourceNotFoundException */
  requireInvocable(nameOrArn: string, by: EventSource): void;
  /** The session of its role, under which a function acts. @throws AwsError ResourceNotFoundException */
  sessionOf(nameOrArn: string): Principal;
  /** Writes beside what the function prints: what kept it from running, say. */
  note(name: string, text: string): void;
  /** Environments of a function that live now. */
  environments(name: string): number;
  /** The environment that signs with this access key; `null` for any other caller. */
  environmentOf(accessKeyId: string): { kill(): void } | null;
  stop(): Promise<void>;
}

interface Deployed {
  lambda: LambdaFunction;
  session: Principal;
  pool: Pool;
  fingerprint: string;
}

export function openFunctions(options: LambdaOptions): Functions {
  const deployed = new Map<string, Deployed>();
  const folder = options.state.folder('functions');
  const { judge, trusts } = openAccess(options.state);
  const permissions = createPermissions();
  const environments = createSignedEnvironments(options.credentials);
  const logs = openLogs(options.log ?? { folder: options.state.folder('logs') });

  return {
    put(configuration) {
      if (!trusts(configuration.roleArn, SERVICE)) {
        throw new AwsError(400, 'InvalidParameterValueException', 'The role defined for the function cannot be assumed by Lambda.', {
          Type: 'User',
        });
      }
      const code = unpackBundle(configuration.zipPath, folder);
      const fingerprint = JSON.stringify([configuration, code.sha256]);
      const existing = deployed.get(configuration.name);
      if (existing?.fingerprint === fingerprint) return existing.lambda;
      existing?.pool.retire();
      const lambda: LambdaFunction = {
        ...configuration,
        arn: functionArn(configuration.name),
        codeSha256: code.sha256,
        codeSize: code.size,
        lastModified: new Date().toISOString().replace('Z', '+0000'),
      };
      const session = { roleArn: lambda.roleArn, sessionName: lambda.name };
      const { principal } = options.credentials.issueForRole(`function:${lambda.name}`, session);
      const endpoint = options.endpoint();
      const onLog = (text: string) => {
        if (mayLog(judge, lambda.name, principal)) logs.write(lambda.name, text);
      };
      const start = () => environments.start(lambda, { session, taskRoot: code.taskRoot, endpoint, onLog });
      const pool = createPool(start, {
        limit: options.maxEnvironments ?? DEFAULT_ENVIRONMENTS,
        ...(options.idleMs === undefined ? {} : { idleMs: options.idleMs }),
      });
      deployed.set(lambda.name, { lambda, session: principal, pool, fingerprint });
      return lambda;
    },
    remove(name) {
      deployed.get(name)?.pool.retire();
      deployed.delete(name);
    },
    list: () => [...deployed.values()].map(({ lambda }) => lambda),
    get: (nameOrArn) => find(nameOrArn).lambda,
    async invoke(nameOrArn, event) {
      const requestId = randomUUID();
      let gathered: Promise<Buffer> | null = null;
      const outcome = await find(nameOrArn).pool.run({
        requestId,
        event,
        onStream: (body) => {
          gathered = gather(body);
          // A stream that fails is reported by the outcome.
          gathered.catch(() => {});
        },
      });
      const streamed: Promise<Buffer> | null = gathered;
      return buffered(requestId, outcome, streamed === null || outcome.kind === 'failed' ? Buffer.alloc(0) : await streamed);
    },
    invokeStreaming(nameOrArn, event) {
      const requestId = randomUUID();
      const { pool } = find(nameOrArn);
      const { promise, resolve } = Promise.withResolvers<StreamResult | InvokeResult>();
      const onStream = (body: Readable, contentType: string) => resolve({ requestId, contentType, body });
      void pool.run({ requestId, event, onStream }).then((outcome) => {
        // Without effect when the stream has begun: the promise is settled.
        if (outcome.kind === 'streamed') resolve({ requestId, contentType: outcome.contentType, body: null });
        else resolve(buffered(requestId, outcome, Buffer.alloc(0)));
      });
      return promise;
    },
    permit: permissions.put,
    forbid: permissions.remove,
    policyOf: permissions.policyOf,
    requireInvocable(nameOrArn, { service, sourceArn }) {
      const { arn } = find(nameOrArn).lambda;
      const resourcePolicy = permissions.policyOf(arn);
      const context = sourceContext(sourceArn);
      judge.require({ principal: { service }, action: 'lambda:InvokeFunction', resource: arn, context, resourcePolicy }, lambdaRefusal);
    },
    sessionOf: (nameOrArn) => find(nameOrArn).session,
    note: logs.write,
    environments: (name) => deployed.get(name)?.pool.size() ?? 0,
    environmentOf: environments.find,
    async stop() {
      await Promise.all([...deployed.values()].map(({ pool }) => pool.stop()));
      deployed.clear();
      await logs.close();
    },
  };

  function find(nameOrArn: string): Deployed {
    const name = functionName(nameOrArn);
    const found = deployed.get(name);
    if (found === undefined)
      throw new AwsError(404, 'ResourceNotFoundException', `Function not found: ${functionArn(name)}`, { Type: 'User' });
    return found;
  }
}

function buffered(requestId: string, outcome: Outcome, streamed: Buffer): InvokeResult {
  if (outcome.kind === 'failed') return failed(requestId, outcome.failure);
  const payload = outcome.kind === 'returned' ? Buffer.from(outcome.payload) : streamed;
  if (payload.length <= MAX_BUFFERED_PAYLOAD) return { requestId, functionError: null, payload };
  return failed(requestId, {
    errorType: 'Function.ResponseSizeTooLarge',
    errorMessage: `Response payload size exceeded maximum allowed payload size (${MAX_BUFFERED_PAYLOAD} bytes).`,
  });
}

function failed(requestId: string, failure: FunctionFailure): InvokeResult {
  return { requestId, functionError: 'Unhandled', payload: Buffer.from(JSON.stringify(failure)) };
}

async function gather(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
