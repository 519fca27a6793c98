/** What a plan did so far. */
import type { Fault } from './plan.ts';
import type { Rules, Tally } from './rules.ts';

export interface RuleReport extends Tally {
  id: string;
  fault: Fault;
  /** By `service:operation`, e.g. `s3:CopyObject`. */
  operations: Record<string, Tally>;
}

export interface FaultReport {
  seed: number;
  rules: RuleReport[];
}

export function createReport({ seed, states }: Rules): FaultReport {
  const rules = states.map(({ id, rule, total, operations }) => ({
    id,
    fault: rule.fault,
    ...total,
    operations: Object.fromEntries([...operations].map(([name, tally]) => [name, { ...tally }])),
  }));
  return { seed, rules };
}

/** For people: one line a rule, one below for each operation. A rule that never matched is there to be seen. */
export function formatReport({ seed, rules }: FaultReport): string {
  const rows = rules.flatMap((rule) => [
    { name: rule.id, what: describe(rule.fault), tally: rule },
    ...Object.entries(rule.operations).map(([name, tally]) => ({ name: `  ${name}`, what: '', tally })),
  ]);
  const width = Math.max(4, ...rows.map(({ name }) => name.length));
  const line = (name: string, matched: string, fired: string, what: string) =>
    `${name.padEnd(width)}  ${matched.padStart(8)}  ${fired.padStart(8)}  ${what}`.trimEnd();
  const lines = rows.map(({ name, what, tally }) => line(name, String(tally.matched), String(tally.fired), what));
  return [`seed ${seed}`, line('rule', 'matched', 'fired', 'fault'), ...lines, ''].join('\n');
}

function describe(fault: Fault): string {
  const { kind, ...rest } = fault;
  return [kind, ...Object.entries(rest).map(([name, value]) => `${name}=${value}`)].join(' ');
}
