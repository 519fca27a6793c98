/** The target bucket's policy, by trying it: what must be refused is, and what must be accepted is. */
import { randomUUID } from 'node:crypto';
import { GetBucketPolicyCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { httpStatus, isDenied } from '../../sdk-error.ts';
import { breakGlassOf, readersOf } from '../checks/bucket-policy.ts';
import type { DoctorContext } from '../context.ts';
import { error } from '../finding.ts';
import { removeObjects } from './clean-up.ts';
import { planProbes } from './plan.ts';
import type { ProbeOptions } from './probe.ts';
import { type TriedParts, tryParts } from './target-parts.ts';
import { notTried, refusedBy, targetOf } from './target-refusal.ts';

/** With what still lies in the target bucket. */
export type TargetPolicyResult = TriedParts;

/** @throws CannotLook */
export async function tryTargetPolicy(
  context: DoctorContext,
  options: Pick<ProbeOptions, 'timeoutMs' | 'signal'>,
): Promise<TargetPolicyResult> {
  const write = await plainWrite(context);
  const { reads, ...read } = await directRead(context);
  const results: Part[] = [write, read, await tryParts(context, reads, options)];
  return {
    findings: results.flatMap(({ findings = [] }) => findings),
    held: results.flatMap(({ held = [] }) => held),
    skipped: results.flatMap(({ skipped = [] }) => skipped),
    written: results.flatMap(({ written = [] }) => written),
  };
}

type Part = Partial<TargetPolicyResult>;

async function plainWrite(context: DoctorContext): Promise<Part> {
  const { clients, stack, policy } = context;
  const id = randomUUID();
  const key = planProbes(policy, id).examples[0]?.facts.key ?? `sealdrop-doctor/${id}`;
  const resource = `${stack.targetBucket}/${key}`;
  const accepted = (what: string): Part => ({
    findings: [
      error('target-policy.plain-write-accepted', {
        resource,
        what,
        nextStep: "Give the bucket the policy that stands in the packaged template as the target bucket's.",
      }),
    ],
  });
  try {
    await clients.s3.send(new PutObjectCommand({ ...targetOf(context), Key: key, Body: 'sealdrop doctor' }));
  } catch (cause) {
    const refusal = refusedBy(cause);
    switch (refusal) {
      case 'bucket-policy':
        return { held: ['a write without encryption headers is refused'] };
      case 'kms':
        return accepted('a write without encryption headers passes the bucket policy: only a right on the KMS key was missing');
      case 'unknown':
        return { findings: [notTried(resource, 's3:PutObject', cause)] };
      default:
        return refusal satisfies never;
    }
  }
  const left = await removeObjects(context, key);
  const { findings = [] } = accepted('a direct write without encryption headers was accepted (it was removed again)');
  return { findings: [...findings, ...left] };
}

/** A key that does not exist will do: who may read is told that it is missing. `reads`: the operator is one of them. */
async function directRead(context: DoctorContext): Promise<Part & { reads: boolean }> {
  const { clients, stack, operator } = context;
  const key = `sealdrop-doctor/${randomUUID()}`;
  const resource = `${stack.targetBucket}/${key}`;
  try {
    await clients.s3.send(new GetObjectCommand({ ...targetOf(context), Key: key }));
  } catch (cause) {
    if (isDenied(cause)) {
      if (refusedBy(cause) === 'bucket-policy') return { reads: false, held: ['a direct read is refused'] };
      return { reads: false, findings: [notTried(resource, 's3:GetObject', cause)] };
    }
    if (httpStatus(cause) !== 404) return { reads: false, findings: [notTried(resource, 's3:GetObject', cause)] };
  }
  const policy = await clients.s3.send(new GetBucketPolicyCommand(targetOf(context))).catch(() => null);
  const readers = (await breakGlassOf(context)) ?? readersOf(policy?.Policy) ?? [];
  if (readers.some((arn) => samePrincipal(arn, operator)))
    return { reads: true, held: ['a direct read is allowed to you, who may break the glass'] };
  return {
    reads: true,
    findings: [
      error('target-policy.read-allowed', {
        resource,
        what: `${operator} may read the target bucket past the API, and is no break-glass principal`,
        nextStep:
          "Give the bucket the policy that stands in the packaged template as the target bucket's, or name the principal in --param breakGlass.",
        evidence: { operator, readers },
      }),
    ],
  };
}

/** Roles are named by their own ARN; whoever has assumed one by that of the session, which has no path. */
function samePrincipal(arn: string, operator: string): boolean {
  const session = /^arn:([^:]+):sts::(\d+):assumed-role\/([^/]+)\//.exec(operator);
  if (session === null) return arn === operator;
  const [, partition, account, name] = session;
  return arn.startsWith(`arn:${partition}:iam::${account}:role/`) && arn.split('/').at(-1) === name;
}
