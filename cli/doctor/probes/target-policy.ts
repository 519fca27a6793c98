/** The target bucket's policy, by trying it: what must be refused is, and what must be accepted is. */
import { randomUUID } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { type ResolvedEncryption, writeParameters } from '../../../src/encryption/index.ts';
import type { Encryption } from '../../../src/policy/schema.ts';
import { CannotLook } from '../../cannot-look.ts';
import { errorMessage, httpStatus, isDenied } from '../../sdk-error.ts';
import { breakGlassOf, readersOf } from '../checks/bucket-policy.ts';
import type { DoctorContext } from '../context.ts';
import { error, type Finding } from '../finding.ts';
import { couldNotLook } from '../look.ts';
import type { ForeignWrite } from './audit-trail.ts';
import { removeObjects } from './clean-up.ts';
import { nameOf } from './expected.ts';
import { membersOf, planProbes } from './plan.ts';
import type { Tried } from './probe.ts';

export interface TargetPolicyResult extends Tried {
  /** What still lies in the target bucket. */
  written: ForeignWrite[];
}

/** @throws CannotLook */
export async function tryTargetPolicy(context: DoctorContext): Promise<TargetPolicyResult> {
  const results = [await plainWrite(context), await directRead(context), await rightParts(context)];
  return {
    findings: results.flatMap(({ findings = [] }) => findings),
    held: results.flatMap(({ held = [] }) => held),
    skipped: results.flatMap(({ skipped = [] }) => skipped),
    written: results.flatMap(({ written = [] }) => written),
  };
}

type Part = Partial<TargetPolicyResult>;

/** Copies in parts make the same requests, and are refused as well. */
const PARTS_REFUSED =
  ' If it is the same, S3 judges parts otherwise than expected: deploy with --param partsAboveMiB=5120, so that objects up to 5 GiB are copied by one call.';

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
    await clients.s3.send(new PutObjectCommand({ ...place(context), Key: key, Body: 'sealdrop doctor' }));
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

/** A key that does not exist will do: who may read is told that it is missing. */
async function directRead(context: DoctorContext): Promise<Part> {
  const { clients, stack, operator } = context;
  const key = `sealdrop-doctor/${randomUUID()}`;
  const resource = `${stack.targetBucket}/${key}`;
  try {
    await clients.s3.send(new GetObjectCommand({ ...place(context), Key: key }));
  } catch (cause) {
    if (isDenied(cause)) {
      if (refusedBy(cause) === 'bucket-policy') return { held: ['a direct read is refused'] };
      return { findings: [notTried(resource, 's3:GetObject', cause)] };
    }
    if (httpStatus(cause) !== 404) return { findings: [notTried(resource, 's3:GetObject', cause)] };
  }
  const policy = await clients.s3.send(new GetBucketPolicyCommand(place(context))).catch(() => null);
  const readers = (await breakGlassOf(context)) ?? readersOf(policy?.Policy) ?? [];
  if (readers.some((arn) => samePrincipal(arn, operator))) return { held: ['a direct read is allowed to you, who may break the glass'] };
  return {
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

/** Parts carry no encryption headers; how S3 judges them is not documented, so it is tried. */
async function rightParts(context: DoctorContext): Promise<Part> {
  const { clients, policy, stack } = context;
  const id = randomUUID();
  const resolved = planProbes(policy, id).examples.map((example) => ({ example, parameters: parametersOf(context, example.encryption) }));
  // SSE-S3 needs no right on a key, so that anybody with s3:PutObject can try it.
  const [chosen] = resolved
    .filter(({ parameters }) => parameters !== null)
    .sort((a, b) => Number(b.example.encryption.mode === 'sse-s3') - Number(a.example.encryption.mode === 'sse-s3'));
  if (chosen === undefined) return { skipped: ['parts of a multipart upload: the policy names SSE-C alone, which needs the customer key'] };
  const { facts, encryption } = chosen.example;
  const address = { ...place(context), Key: facts.key };
  const resource = `${stack.targetBucket}/${facts.key}`;
  let UploadId: string | undefined;
  let step = 'CreateMultipartUpload';
  try {
    ({ UploadId } = await clients.s3.send(
      new CreateMultipartUploadCommand({ ...address, ...membersOf(chosen.example), ...chosen.parameters }),
    ));
    step = 'UploadPart';
    const part = await clients.s3.send(new UploadPartCommand({ ...address, UploadId, PartNumber: 1, Body: 'sealdrop doctor' }));
    step = 'CompleteMultipartUpload';
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag: part.ETag }] };
    await clients.s3.send(new CompleteMultipartUploadCommand({ ...address, UploadId, MultipartUpload }));
    return { held: ['a multipart upload with the right headers is accepted'], written: [{ key: facts.key, encryption }] };
  } catch (cause) {
    if (UploadId !== undefined) await clients.s3.send(new AbortMultipartUploadCommand({ ...address, UploadId })).catch(() => {});
    const refusal = refusedBy(cause);
    switch (refusal) {
      case 'bucket-policy':
        return {
          findings: [
            error('target-policy.right-write-refused', {
              resource,
              what: `the bucket policy refuses ${step} of an upload under ${nameOf(encryption)}, which the policy asks for`,
              nextStep: `Deploy this policy; if it is deployed, compare the bucket policy with the packaged template.${step === 'CreateMultipartUpload' ? '' : PARTS_REFUSED}`,
              evidence: { step, encryption: nameOf(encryption), message: errorMessage(cause) },
            }),
          ],
        };
      case 'kms':
        return {
          findings: [
            notTried(resource, 'kms:GenerateDataKey', cause, 'Run it as somebody who may break the glass: the key is for nobody else.'),
          ],
        };
      case 'unknown':
        return { findings: [notTried(resource, 's3:PutObject', cause)] };
      default:
        return refusal satisfies never;
    }
  }
}

/** `null`: it takes a customer key, which nobody reads to look. */
function parametersOf({ stack }: DoctorContext, encryption: Encryption): ReturnType<typeof writeParameters> | null {
  if (encryption.mode === 'sse-c') return null;
  if (encryption.mode === 'sse-s3') return writeParameters({ mode: 'sse-s3' });
  const key = encryption.key === 'aws/s3' ? { keyArn: '', managed: true as const } : { keyArn: encryption.key ?? stack.keyArn };
  const resolved: ResolvedEncryption =
    encryption.mode === 'sse-kms' ? { mode: 'sse-kms', ...key, bucketKey: encryption.bucketKey } : { mode: 'dsse-kms', ...key };
  return writeParameters(resolved);
}

/**
 * S3 says of requests within an account which policy refused them.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html
 */
function refusedBy(cause: unknown): 'bucket-policy' | 'kms' | 'unknown' {
  const message = errorMessage(cause);
  if (isDenied(cause) && /perform: kms:/.test(message)) return 'kms';
  return isDenied(cause) && /explicit deny in a resource-based policy/.test(message) ? 'bucket-policy' : 'unknown';
}

/** @throws CannotLook */
function notTried(resource: string, action: string, cause: unknown, remedy?: string): Finding {
  const hopeless = CannotLook.because(cause);
  if (hopeless !== null) throw hopeless;
  return couldNotLook({ subject: 'target-policy', resource, action }, cause, remedy);
}

/** Roles are named by their own ARN; whoever has assumed one by that of the session, which has no path. */
function samePrincipal(arn: string, operator: string): boolean {
  const session = /^arn:([^:]+):sts::(\d+):assumed-role\/([^/]+)\//.exec(operator);
  if (session === null) return arn === operator;
  const [, partition, account, name] = session;
  return arn.startsWith(`arn:${partition}:iam::${account}:role/`) && arn.split('/').at(-1) === name;
}

function place({ stack }: DoctorContext): { Bucket: string; ExpectedBucketOwner: string } {
  return { Bucket: stack.targetBucket, ExpectedBucketOwner: stack.targetBucketOwner };
}
