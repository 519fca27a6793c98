/** Parts under the target bucket's policy: they carry no encryption headers, and how S3 judges them is not documented, so it is tried. */
import { randomUUID } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { type ResolvedEncryption, writeParameters } from '../../../src/encryption/index.ts';
import { encryptionAtS3 } from '../../../src/policy/at-s3.ts';
import type { Encryption } from '../../../src/policy/schema.ts';
import { errorMessage, errorName } from '../../sdk-error.ts';
import type { DoctorContext } from '../context.ts';
import { error, type Finding } from '../finding.ts';
import type { ForeignWrite } from './audit-trail.ts';
import { removeObjects } from './clean-up.ts';
import { nameOf } from './expected.ts';
import { type Example, membersOf, planProbes } from './plan.ts';
import type { ProbeOptions, Tried } from './probe.ts';
import { notTried, refusedBy, targetOf } from './target-refusal.ts';

/** Copies in parts make the same requests, and are refused as well. */
const PARTS_REFUSED =
  ' If it is the same, S3 judges parts otherwise than expected: deploy with --param partsAboveMiB=5120, so that objects up to 5 GiB are copied by one call.';

/** Names of what KMS said to S3. */
const KMS_ERROR = 'KMS.';

export interface TriedParts extends Tried {
  /** What still lies in the target bucket. */
  written: ForeignWrite[];
}

/** How a part comes to its bytes. */
type Kind = 'uploaded' | 'copied';
type Step = 'CreateMultipartUpload' | 'UploadPart' | 'UploadPartCopy' | 'CompleteMultipartUpload';

type Outcome =
  | { kind: 'accepted' }
  | { kind: 'refused'; step: Step; cause: unknown }
  /** The key is for others, or of no use to anybody: its settings say so. */
  | { kind: 'no-key'; cause: unknown }
  | { kind: 'failed'; cause: unknown }
  | { kind: 'out-of-time' };

interface Attempt {
  part: Kind;
  example: Example;
  outcome: Outcome;
  /** Of what could not be removed. */
  left: Finding[];
}

/**
 * Uploads a part, and copies one of what that became, under each mode of the policy but SSE-C, with a named key and with `aws/s3`.
 * @param reads whether the operator may read the target bucket, where the copied parts come from
 * @throws CannotLook
 */
export async function tryParts(
  context: DoctorContext,
  reads: boolean,
  options: Pick<ProbeOptions, 'timeoutMs' | 'signal'>,
): Promise<TriedParts> {
  const uploads = examplesOf(context);
  const copies = examplesOf(context);
  if (uploads.length === 0)
    return {
      findings: [],
      held: [],
      skipped: ['parts of a multipart upload: the policy names SSE-C alone, which needs the customer key'],
      written: [],
    };
  const time = AbortSignal.any([options.signal, AbortSignal.timeout(options.timeoutMs)]);
  const tried = await Promise.all(
    uploads.map(async (upload, index) => {
      const uploaded = await attempt(context, upload, null, time);
      const copy = copies[index];
      if (uploaded.outcome.kind !== 'accepted' || !reads || copy === undefined) return [uploaded];
      return [uploaded, await attempt(context, copy, upload.facts.key, time)];
    }),
  );
  const attempts = tried.flat();
  const accepted = attempts.filter(({ outcome }) => outcome.kind === 'accepted');
  const written = accepted.map(({ example }) => ({ key: example.facts.key, encryption: example.encryption }));
  try {
    return {
      findings: [...refusals(context, attempts), ...failures(context, attempts), ...attempts.flatMap(({ left }) => left)],
      held: (['uploaded', 'copied'] as const).flatMap((kind) => {
        const alike = accepted.filter(({ part }) => part === kind);
        return alike.length === 0 ? [] : [`a multipart upload with the right headers is accepted, its part ${kind} (${listed(alike)})`];
      }),
      skipped: skips(attempts, reads),
      written,
    };
  } catch (cause) {
    for (const { key } of written) await removeObjects(context, key);
    throw cause;
  }
}

/** Under keys of their own at each call: one for each mode, and for `aws/s3`, whose name requests do not say. */
function examplesOf({ policy }: DoctorContext): Example[] {
  const kinds = new Map<string, Example>();
  for (const example of planProbes(policy, randomUUID()).examples) {
    const encryption = encryptionAtS3(example.encryption);
    if (encryption.mode === 'sse-c') continue;
    const kind = encryption.mode === 'sse-s3' ? encryption.mode : `${encryption.mode} ${encryption.key === 'aws/s3'}`;
    if (!kinds.has(kind)) kinds.set(kind, example);
  }
  return [...kinds.values()];
}

/** @param from key of the object in the target bucket that the part is copied of; `null`: it is uploaded */
async function attempt(context: DoctorContext, example: Example, from: string | null, abortSignal: AbortSignal): Promise<Attempt> {
  const { s3 } = context.clients;
  const { key } = example.facts;
  const address = { ...targetOf(context), Key: key };
  const told = { part: from === null ? ('uploaded' as const) : ('copied' as const), example };
  let UploadId: string | undefined;
  let step: Step = 'CreateMultipartUpload';
  try {
    const create = new CreateMultipartUploadCommand({ ...address, ...membersOf(example), ...parametersOf(context, example.encryption) });
    ({ UploadId } = await s3.send(create, { abortSignal }));
    const part = { ...address, UploadId, PartNumber: 1 };
    let ETag: string | undefined;
    if (from === null) {
      step = 'UploadPart';
      ({ ETag } = await s3.send(new UploadPartCommand({ ...part, Body: 'sealdrop doctor' }), { abortSignal }));
    } else {
      step = 'UploadPartCopy';
      const { Bucket, ExpectedBucketOwner: ExpectedSourceBucketOwner } = address;
      const CopySource = [Bucket, ...from.split('/')].map(encodeURIComponent).join('/');
      const copy = new UploadPartCopyCommand({ ...part, CopySource, ExpectedSourceBucketOwner });
      ETag = (await s3.send(copy, { abortSignal })).CopyPartResult?.ETag;
    }
    step = 'CompleteMultipartUpload';
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    await s3.send(new CompleteMultipartUploadCommand({ ...address, UploadId, MultipartUpload }), { abortSignal });
    return { ...told, outcome: { kind: 'accepted' }, left: [] };
  } catch (cause) {
    if (UploadId !== undefined) await s3.send(new AbortMultipartUploadCommand({ ...address, UploadId })).catch(() => {});
    // It may have been completed all the same.
    const left = step === 'CompleteMultipartUpload' ? await removeObjects(context, key) : [];
    return { ...told, outcome: abortSignal.aborted ? { kind: 'out-of-time' } : outcomeOf(step, cause), left };
  }
}

function outcomeOf(step: Step, cause: unknown): Outcome {
  if (errorName(cause).startsWith(KMS_ERROR)) return { kind: 'no-key', cause };
  const refusal = refusedBy(cause);
  switch (refusal) {
    case 'bucket-policy':
      return { kind: 'refused', step, cause };
    case 'kms':
      return { kind: 'no-key', cause };
    case 'unknown':
      return { kind: 'failed', cause };
    default:
      return refusal satisfies never;
  }
}

/** One finding a request, however many modes it is refused under. */
function refusals(context: DoctorContext, attempts: Attempt[]): Finding[] {
  const refused = attempts.flatMap(({ outcome, example }) => (outcome.kind === 'refused' ? [{ ...outcome, example }] : []));
  return [...new Set(refused.map(({ step }) => step))].map((step) => {
    const alike = refused.filter((attempt) => attempt.step === step);
    return error('target-policy.right-write-refused', {
      resource: context.stack.targetBucket,
      what: `the bucket policy refuses ${step} of an upload under what the policy asks for: ${listed(alike)}`,
      nextStep: `Deploy this policy; if it is deployed, compare the bucket policy with the packaged template.${step === 'CreateMultipartUpload' ? '' : PARTS_REFUSED}`,
      evidence: {
        step,
        encryptions: alike.map(({ example }) => nameOf(example.encryption)),
        messages: [...new Set(alike.map(({ cause }) => errorMessage(cause)))],
      },
    });
  });
}

/**
 * Keys that cannot be used are a finding here only where no mode could be tried for them.
 * @throws CannotLook
 */
function failures({ stack }: DoctorContext, attempts: Attempt[]): Finding[] {
  const failed = attempts.find(({ outcome }) => outcome.kind === 'failed')?.outcome;
  if (failed?.kind === 'failed') return [notTried(stack.targetBucket, 's3:PutObject', failed.cause)];
  const [first] = attempts;
  if (first?.outcome.kind !== 'no-key' || attempts.some(({ outcome }) => outcome.kind !== 'no-key')) return [];
  const remedy = 'Run it as somebody who may break the glass: the key is for nobody else.';
  return [notTried(stack.targetBucket, 'kms:GenerateDataKey', first.outcome.cause, remedy)];
}

function skips(attempts: Attempt[], reads: boolean): string[] {
  const noKey = attempts.filter(({ outcome }) => outcome.kind === 'no-key');
  const late = attempts.filter(({ outcome }) => outcome.kind === 'out-of-time');
  const copyable = attempts.some(({ outcome }) => outcome.kind === 'accepted');
  return [
    ...(noKey.length === 0 || noKey.length === attempts.length
      ? []
      : [`parts under ${listed(noKey)}: the key is of no use to whoever runs this`]),
    ...(late.length === 0 ? [] : [`parts under ${listed(late)}: time ended`]),
    ...(reads || !copyable ? [] : ['parts that are copied: only who may break the glass can read what to copy']),
  ];
}

/** @throws what has no parameters without the customer key: SSE-C */
function parametersOf({ stack }: DoctorContext, ruled: Encryption): ReturnType<typeof writeParameters> {
  const encryption = encryptionAtS3(ruled);
  if (encryption.mode === 'sse-c') throw new Error('SSE-C takes a customer key, which nobody reads to look');
  if (encryption.mode === 'sse-s3') return writeParameters({ mode: 'sse-s3' });
  const key = encryption.key === 'aws/s3' ? { keyArn: '', managed: true as const } : { keyArn: encryption.key ?? stack.keyArn };
  const resolved: ResolvedEncryption =
    encryption.mode === 'sse-kms' ? { mode: 'sse-kms', ...key, bucketKey: encryption.bucketKey } : { mode: 'dsse-kms', ...key };
  return writeParameters(resolved);
}

/** Modes with their keys, each once. */
function listed(attempts: { example: Example }[]): string {
  return [...new Set(attempts.map(({ example }) => nameOf(example.encryption)))].join(', ');
}
