/** What every check knows. */
import type { Policy } from '../../src/policy/schema.ts';
import type { Clients } from '../clients.ts';
import type { Stack } from '../stack.ts';
import type { Area, Finding } from './finding.ts';

export interface DoctorContext {
  clients: Clients;
  stack: Stack;
  /** The local file's: what the stack should do. */
  policy: Policy;
  /** As messages call it. */
  policyFile: string;
  /** ARN of whoever looks. */
  operator: string;
}

/** One look at one concern; checks never wait for each other. */
export interface Check {
  area: Area;
  run(context: DoctorContext): Promise<Finding[]>;
}
