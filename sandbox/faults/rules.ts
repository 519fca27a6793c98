/** Which faults hit which call. */
import { createGenerator } from './generator.ts';
import {
  type EventFault,
  type Fault,
  type FaultOf,
  isEventFault,
  operationsOf,
  type ParsedPlan,
  type ParsedRule,
  TARGETS,
} from './plan.ts';

/** What rules are compared with. */
export interface Call {
  service: string;
  operation: string;
  /** The function's name or `administrator`; `null` without a signature. */
  caller: string | null;
  /** Signed by the session of a role, as functions do. */
  byFunction: boolean;
}

/** How a call came: `wire`, from an `environment` of a function that can be killed, or `inside`, from a service to KMS. */
export type Origin = 'wire' | 'environment' | 'inside';

export interface Decision {
  /** Adds up over all rules that say it. */
  slow: FaultOf<'slow'>[];
  /** Of the first other rule that fired. */
  fault: Exclude<Fault, EventFault | { kind: 'slow' }> | null;
}

export interface Tally {
  matched: number;
  fired: number;
}

export interface RuleState {
  rule: ParsedRule;
  id: string;
  total: Tally;
  /** By `service:operation`. */
  operations: Map<string, Tally>;
  /** The next random number of this rule, 0 to below 1. */
  random(): number;
}

export interface Rules {
  seed: number;
  states: readonly RuleState[];
  /** In the order of the plan; a call that was hit is not shown to later rules, but for `slow`. */
  decide(call: Call, origin: Origin): Decision;
  /** Seconds of delay of each message that an event becomes. */
  decideEvent(call: Call, queue: string): number[];
}

export function createRules({ seed, rules }: ParsedPlan): Rules {
  const states = rules.map((rule, index): RuleState => {
    const id = rule.id ?? `rule-${index + 1}`;
    return { rule, id, total: { matched: 0, fired: 0 }, operations: new Map(), random: createGenerator(seed, id) };
  });
  return {
    seed,
    states,
    decide(call, origin) {
      const decision: Decision = { slow: [], fault: null };
      for (const state of states) {
        const { fault } = state.rule;
        if (isEventFault(fault) || !isFor(state.rule, call) || !reaches(state.rule, call, origin)) continue;
        if (fault.kind === 'slow') {
          if (fires(state, call)) decision.slow.push(fault);
        } else if (decision.fault === null && fires(state, call)) decision.fault = fault;
      }
      return decision;
    },
    decideEvent(call, queue) {
      let copies = 1;
      for (const state of states) {
        const { fault } = state.rule;
        if (fault.kind === 'duplicate' && isForEvent(state.rule, call, queue) && fires(state, call)) copies += fault.times;
      }
      return Array.from({ length: copies }, () => {
        let seconds = 0;
        for (const state of states) {
          const { fault } = state.rule;
          if (fault.kind === 'delay' && isForEvent(state.rule, call, queue) && fires(state, call))
            seconds += fault.seconds * state.random();
        }
        return seconds;
      });
    },
  };
}

/** Draws for every match, whatever `after` and `count` say: the decisions of later matches do not hang on them. */
function fires(state: RuleState, call: Call): boolean {
  const { rule, total } = state;
  const name = `${call.service}:${call.operation}`;
  const tally = state.operations.get(name) ?? { matched: 0, fired: 0 };
  state.operations.set(name, tally);
  total.matched += 1;
  tally.matched += 1;
  const lucky = state.random() < rule.probability;
  if (!lucky || total.matched <= rule.after || total.fired >= (rule.count ?? Number.POSITIVE_INFINITY)) return false;
  total.fired += 1;
  tally.fired += 1;
  return true;
}

function isFor(rule: ParsedRule, call: Call): boolean {
  const operations = operationsOf(rule);
  if (rule.service !== undefined && rule.service !== call.service) return false;
  if (operations.length > 0 && !operations.includes(call.operation)) return false;
  return isBy(rule.caller, call);
}

function isForEvent(rule: ParsedRule, call: Call, queue: string): boolean {
  return isFor({ ...rule, caller: rule.caller ?? '*' }, call) && (rule.queue === undefined || isNamed(queue, rule.queue));
}

function isBy(caller: ParsedRule['caller'], call: Call): boolean {
  if (caller === undefined) return call.byFunction;
  if (caller === '*') return true;
  if (call.caller === null) return false;
  return typeof caller === 'string' ? isNamed(call.caller, caller) : !isNamed(call.caller, caller.not);
}

/** `encrypt` is `sealdrop-dev-encrypt`, and not `sealdrop-dev-reencrypt`. */
function isNamed(full: string, name: string): boolean {
  return full === name || full.endsWith(`-${name}`);
}

/** Whether this kind of fault can be done to such a call. */
function reaches({ fault, service }: ParsedRule, call: Call, origin: Origin): boolean {
  // A service's call in process has no connection, no answer and no time of its own.
  if (origin === 'inside') return service === call.service && fault.kind === 'error';
  if (fault.kind === 'kill') return origin === 'environment';
  const target = TARGETS[fault.kind];
  return target === undefined || (call.service === target.service && target.operations.includes(call.operation));
}
