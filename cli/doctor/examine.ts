/** Everything that the doctor does to one stack, in its order. */
import { randomUUID } from 'node:crypto';
import { buckets } from './checks/buckets.ts';
import { keys } from './checks/keys.ts';
import { queues } from './checks/queues.ts';
import { roles } from './checks/roles.ts';
import { secret } from './checks/secret.ts';
import { policyFile, stackStatus } from './checks/stack-status.ts';
import { table } from './checks/table.ts';
import type { Check, DoctorContext } from './context.ts';
import type { Area, Finding } from './finding.ts';
import { ownWritesTold, tryAuditTrail } from './probes/audit-trail.ts';
import { nameOf } from './probes/expected.ts';
import { planProbes } from './probes/plan.ts';
import type { ProbeOptions, Proof } from './probes/probe.ts';
import { roundTrips } from './probes/round-trip.ts';
import { tryTargetPolicy } from './probes/target-policy.ts';

const CHECKS: Check[] = [stackStatus, policyFile, buckets, keys, secret, queues, table, roles];

/** What was looked at together. */
export interface Examined {
  area: Area;
  findings: Finding[];
  /** What was shown to hold, in words; empty where a line without findings says it all. */
  held: string[];
}

export interface Examination {
  examined: Examined[];
  proofs: Proof[];
  /** What was not tried, and why: neither well nor a finding. */
  skipped: string[];
}

/**
 * Looks first, in parallel, and tries then: the probes' own traces are not looked at.
 * @param probes `null`: nothing is tried
 * @throws CannotLook
 */
export async function examine(context: DoctorContext, probes: ProbeOptions | null): Promise<Examination> {
  const looked = await Promise.all(CHECKS.map(async ({ area, run }) => ({ area, findings: await run(context), held: [] })));
  if (probes === null)
    return { examined: looked, proofs: [], skipped: ['round trips, and the bucket policy by trying it: --no-round-trip'] };
  const { examples, tooLarge } = planProbes(context.policy, randomUUID());
  const [trips, foreign] = await bothSettled(roundTrips(context, examples, probes), tryTargetBucket(context, probes));
  const { proofs, findings } = trips;
  const arrived = proofs.filter(({ ms }) => ms !== null);
  const skipped = tooLarge.map(
    ({ encryption, facts }) => `a round trip of ${nameOf(encryption)}: only objects from ${facts.size} bytes up get it`,
  );
  if (probes.api === null) skipped.push('the way back through the API: SEALDROP_TOKEN is not set');
  const { policy, trail } = foreign;
  const own = probes.signal.aborted
    ? []
    : await ownWritesTold(
        context,
        arrived.map(({ key }) => key),
      );
  return {
    examined: [
      ...looked,
      { area: 'round trip', findings, held: arrived.map(({ encryption }) => encryption) },
      { area: 'target policy', findings: policy.findings, held: policy.held },
      { area: 'audit trail', findings: [...trail.findings, ...own], held: trail.held },
    ],
    proofs,
    skipped: [...skipped, ...policy.skipped, ...trail.skipped],
  };
}

async function tryTargetBucket(context: DoctorContext, probes: ProbeOptions) {
  const policy = await tryTargetPolicy(context, probes);
  return { policy, trail: await tryAuditTrail(context, policy.written, probes) };
}

/** Neither is left behind half done when the other fails: both remove what they made. */
async function bothSettled<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([a, b]);
  return [await a, await b];
}
