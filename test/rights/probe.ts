/** One question to AWS: may this caller do that? */
import type { Caller, Clients, World } from './world.ts';

export interface Probe {
  /** What is asked about, in words that a reviewer reads. */
  resource: string;
  /** The IAM action; with what the request says where the answer turns on it. */
  action: string;
  /** Changes or removes what other probes need: asked last by callers who may. */
  destructive: boolean;
  ask(clients: Clients, world: World, caller: Caller): Promise<unknown>;
}

export type Verdict = 'yes' | 'no';

/** Codes by which services refuse for want of rights. */
const REFUSALS = new Set(['AccessDenied', 'AccessDeniedException']);
/** A HEAD has no body, so its refusal has no code: the SDK then knows no name. */
const FORBIDDEN = 403;
const NAMELESS = new Set(['Forbidden', 'UnknownError', 'Unknown', '403']);

/**
 * `yes` also when the request fails for another reason that comes after the judgement.
 * @throws what is no judgement at all: an operation that the sandbox lacks, a broken connection
 */
export async function verdictOf(probe: Probe, caller: Caller, world: World): Promise<Verdict> {
  try {
    await probe.ask(world.as(caller), world, caller);
    return 'yes';
  } catch (error) {
    const { name, status } = refusalOf(error);
    if (REFUSALS.has(name) || (status === FORBIDDEN && NAMELESS.has(name))) return 'no';
    if (status === undefined || status >= 500) throw error;
    return 'yes';
  }
}

function refusalOf(error: unknown): { name: string; status: number | undefined } {
  if (!(error instanceof Error)) throw error;
  const metadata: unknown = Reflect.get(error, '$metadata');
  const status: unknown = typeof metadata === 'object' && metadata !== null ? Reflect.get(metadata, 'httpStatusCode') : undefined;
  return { name: error.name, status: typeof status === 'number' ? status : undefined };
}

type Ask = Probe['ask'];

/** Probes of one resource, by action. */
export function probesOf(resource: string, asks: Record<string, Ask>, destructive: Record<string, Ask> = {}): Probe[] {
  const made = (among: Record<string, Ask>, last: boolean) =>
    Object.entries(among).map(([action, ask]) => ({ resource, action, destructive: last, ask }));
  return [...made(asks, false), ...made(destructive, true)];
}
