/**
 * Faults on demand: a plan says which calls fail, how, and how often; a seed decides the rest.
 *
 * What it does not do (2026-11-21): faults of requests without a signature, of presigned URLs and of the REST API; faults of what
 * services do in process other than S3's data keys and events (Secrets Manager's use of KMS and Lambda's polling never fail).
 * The same seed gives the same decisions for the same order of calls; calls in parallel have no order of their own.
 */
import { AwsError } from '../aws-error.ts';
import type { DataKeys, Interceptor, NotificationSink, Principal, Queues, WireRequest } from '../service.ts';
import { cut } from './answer.ts';
import { createUnencryptedUploads } from './encryption.ts';
import { createFaultService } from './endpoint.ts';
import { inflict, type Stage, slowDown } from './inflict.ts';
import { faultyDataKeys, faultySink } from './inside.ts';
import { operationName } from './operation-name.ts';
import { createPatience } from './patience.ts';
import { type Fault, type FaultPlan, parsePlan } from './plan.ts';
import { createReport, type FaultReport } from './report.ts';
import { type Call, createRules, type Rules } from './rules.ts';

/** In the credential scope of requests to the sandbox itself. */
export const OWN_SERVICE = 'sandbox';

/** A call on the wire, as tests see it pass. */
export interface ObservedCall {
  /** The same before and after; counts from 1 since the sandbox started. */
  number: number;
  phase: 'before' | 'after';
  service: string;
  operation: string;
  /** The function's name or `administrator`. */
  caller: string | null;
  /** Path of the request as sent; for S3 its bucket and key. */
  path: string;
  /** Of what the service answered, whether or not it arrived; `null` before, and when nothing was answered. */
  status: number | null;
  /** What hit it; none before. */
  faults: readonly Fault[];
}

/** A promise that it returns is waited for: so a test holds a call while it does something else. */
export type CallListener = (call: ObservedCall) => void | Promise<void>;

export interface Faults {
  /** Replaces the plan; all counts begin anew. @throws FaultPlanError */
  set(plan: FaultPlan): void;
  /** From now on nothing fails; the report stays. */
  clear(): void;
  active(): boolean;
  /** Of the plan that was set last. */
  report(): FaultReport;
  /** Told of every signed call on the wire, before it is worked on and after it was; gives the function that ends it. */
  observe(listener: CallListener): () => void;
}

/** What the faults need of the sandbox around them. */
export interface FaultSurroundings {
  /** The execution environment that signs with this key; `null` for anybody else. */
  environmentOf(accessKeyId: string): { kill(): void } | null;
  /** Of the object, or the range of it, that a request to S3 copies; `null`: it copies none. */
  copiedBytes(request: WireRequest): number | null;
}

export interface FaultRoom extends Faults {
  /** What stands between the server and its services; `null` while there is nothing to do. */
  interceptor(): Interceptor | null;
  dataKeys(keys: DataKeys): DataKeys;
  sink(publish: Queues['publish']): NotificationSink;
  service: ReturnType<typeof createFaultService>;
  /** Drops the calls that wait. */
  close(): void;
}

/** @throws FaultPlanError */
export function openFaults(surroundings: FaultSurroundings, plan: FaultPlan = { rules: [] }): FaultRoom {
  const listeners = new Set<CallListener>();
  const uploads = createUnencryptedUploads();
  const patience = createPatience();
  let latest: Rules = createRules(parsePlan(plan));
  let active = latest.states.length > 0;
  let calls = 0;
  const rules = () => (active ? latest : null);

  const faults: Faults = {
    set(input) {
      latest = createRules(parsePlan(input));
      active = latest.states.length > 0;
    },
    clear() {
      active = false;
    },
    active: () => active,
    report: () => createReport(latest),
    observe(listener) {
      const entry: CallListener = (call) => listener(call);
      listeners.add(entry);
      return () => void listeners.delete(entry);
    },
  };
  return {
    ...faults,
    service: createFaultService(faults),
    interceptor: () => (active || listeners.size > 0 ? intercept : null),
    dataKeys: (keys) => faultyDataKeys(keys, rules, callerOf),
    sink: (publish) => faultySink(publish, rules),
    close: () => patience.close(),
  };

  async function intercept({ name, protocol, service, request, response }: Parameters<Interceptor>[0]): Promise<void> {
    const { principal } = request;
    // Otherwise a plan for everybody could not be taken back.
    if (principal === null || name === OWN_SERVICE) return service.handle(request, response);
    const call: Call = { service: name, operation: await operationName(protocol, request), ...callerOf(principal) };
    const environment = surroundings.environmentOf(principal.accessKeyId);
    const number = ++calls;
    const tell = async (phase: ObservedCall['phase'], status: number | null, hits: readonly Fault[] = []) => {
      const { operation, caller } = call;
      const seen = { number, phase, service: name, operation, caller, path: request.rawPath, status, faults: hits };
      for (const listener of listeners) await listener(seen);
    };
    let worked = false;
    const stage: Stage = {
      operation: call.operation,
      request,
      response,
      uploads,
      patience,
      work() {
        worked = true;
        return service.handle(request, response);
      },
      kill: () => environment?.kill(),
      copiedBytes: () => (name === 's3' ? surroundings.copiedBytes(request) : null),
    };
    await tell('before', null);
    const { slow, fault } = rules()?.decide(call, environment === null ? 'wire' : 'environment') ?? { slow: [], fault: null };
    let status: number | null = null;
    try {
      if (!(await slowDown(slow, stage))) return cut(response);
      await inflict(fault, stage);
      if (worked || response.headersSent) status = response.statusCode;
    } catch (error) {
      status = error instanceof AwsError ? error.status : 500;
      throw error;
    } finally {
      await tell('after', status, fault === null ? slow : [...slow, fault]);
    }
  }
}

function callerOf({ arn, roleArn }: Principal): Pick<Call, 'caller' | 'byFunction'> {
  return { caller: arn.slice(arn.lastIndexOf('/') + 1), byFunction: roleArn !== null };
}
