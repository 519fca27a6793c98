/** What the doctor says: one finding is one thing that somebody should change. */

/** What is looked at together and shown as one line. */
export const AREAS = [
  'stack',
  'policy',
  'buckets',
  'keys',
  'secret',
  'queues',
  'table',
  'roles',
  'round trip',
  'target policy',
  'audit trail',
] as const;
export type Area = (typeof AREAS)[number];

/** `error`: objects fail, or lie otherwise than promised. `warning`: it works, and somebody should look. */
export type Severity = 'error' | 'warning';

export type Subject =
  | 'stack'
  | 'policy'
  | 'ingest-bucket'
  | 'target-bucket'
  | 'audit-bucket'
  | 'key'
  | 'secret'
  | 'ingest-queue'
  | 'ingest-dead-letters'
  | 'target-events-queue'
  | 'target-events-dead-letters'
  | 'transit-queue'
  | 'transit-dead-letters'
  | 'table'
  | 'role'
  | 'round-trip'
  | 'target-policy'
  | 'audit-trail';

export interface Finding {
  /** Stable, for scripts: what it is about, and what is the matter. */
  id: `${Subject}.${string}`;
  severity: Severity;
  /** Name, ARN or address of what it is about. */
  resource: string;
  /** What was found, in one sentence. */
  what: string;
  /** What to do, in one sentence. */
  nextStep: string;
  /** A shell command that does it. */
  command?: string;
  /** What was read, without secrets. */
  evidence: Readonly<Record<string, unknown>>;
}

export function error(id: Finding['id'], rest: Rest): Finding {
  return { id, severity: 'error', evidence: {}, ...rest };
}

export function warning(id: Finding['id'], rest: Rest): Finding {
  return { id, severity: 'warning', evidence: {}, ...rest };
}

type Rest = Omit<Finding, 'id' | 'severity' | 'evidence'> & Partial<Pick<Finding, 'evidence'>>;

/** The worst of them; `null`: there is none. */
export function worst(findings: readonly Finding[]): Severity | null {
  if (findings.some(({ severity }) => severity === 'error')) return 'error';
  return findings.length > 0 ? 'warning' : null;
}
