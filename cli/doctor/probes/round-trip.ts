/** One small object for each encryption that the policy names: dropped, awaited, compared, fetched, removed. */
import { randomBytes } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { SealdropError } from '../../../src/errors.ts';
import { CannotLook } from '../cannot-look.ts';
import { nextStepOf } from '../checks/dead-letters.ts';
import type { DoctorContext } from '../context.ts';
import { error, type Finding } from '../finding.ts';
import { couldNotLook } from '../look.ts';
import { roleArn } from '../names.ts';
import { arrival } from './arrival.ts';
import { removeLetters, removeObjects } from './clean-up.ts';
import { downloadProblems } from './download.ts';
import { differences, expectedEncryption, nameOf } from './expected.ts';
import type { Example } from './plan.ts';
import type { ProbeOptions, ProbeResult } from './probe.ts';

/** @throws CannotLook */
export async function roundTrips(context: DoctorContext, examples: Example[], options: ProbeOptions): Promise<ProbeResult> {
  const results = await Promise.all(examples.map((example) => roundTrip(context, example, options)));
  return { proofs: results.flatMap(({ proofs }) => proofs), findings: results.flatMap(({ findings }) => findings) };
}

async function roundTrip(context: DoctorContext, example: Example, options: ProbeOptions): Promise<ProbeResult> {
  const { key, size } = example.facts;
  const bytes = randomBytes(size);
  const proof = { encryption: nameOf(example.encryption), key, ms: null, downloaded: false };
  const refusal = await drop(context, example, bytes);
  if (refusal !== null) return { proofs: [proof], findings: [refusal] };
  const started = Date.now();
  try {
    const findings = await judgeArrival(context, example, options);
    const ms = findings.length === 0 && !options.signal.aborted ? Date.now() - started : null;
    const asked = ms !== null && options.api !== null ? options.api : null;
    const problems = asked === null ? [] : await downloadProblems(asked, key, bytes);
    const left = await removeObjects(context, key);
    return {
      proofs: [{ ...proof, ms, downloaded: asked !== null && problems.length === 0 }],
      findings: [...findings, ...problems, ...left],
    };
  } catch (cause) {
    await removeObjects(context, key);
    throw cause;
  }
}

/** `null`: it lies in the ingest bucket. */
async function drop({ clients, stack }: DoctorContext, { facts }: Example, bytes: Buffer): Promise<Finding | null> {
  const tags = new URLSearchParams(facts.tags).toString();
  const put = new PutObjectCommand({
    Bucket: stack.ingestBucket,
    ExpectedBucketOwner: stack.account,
    Key: facts.key,
    Body: bytes,
    ContentType: facts.contentType,
    ...(tags !== '' && { Tagging: tags }),
  });
  try {
    await clients.s3.send(put);
    return null;
  } catch (cause) {
    const hopeless = CannotLook.because(cause);
    if (hopeless !== null) throw hopeless;
    return couldNotLook({ subject: 'round-trip', resource: `${stack.ingestBucket}/${facts.key}`, action: 's3:PutObject' }, cause);
  }
}

async function judgeArrival(context: DoctorContext, example: Example, { timeoutMs, signal }: ProbeOptions): Promise<Finding[]> {
  const { stack } = context;
  const { key } = example.facts;
  const resource = `${stack.targetBucket}/${key}`;
  const named = nameOf(example.encryption);
  try {
    const expected = await expectedEncryption(context, example.encryption);
    const arrived = await arrival(context, key, timeoutMs, signal);
    switch (arrived.kind) {
      case 'recorded': {
        const different = differences(expected, arrived.record.encryption);
        if (different.length === 0) return [];
        return [
          error('round-trip.other-encryption', {
            resource,
            what: `the policy asks for ${named}, and the object was stored otherwise: ${different.join(', ')}`,
            nextStep: 'Deploy this policy; if it is deployed, treat what was stored meanwhile as drift.',
            evidence: { expected, found: arrived.record.encryption },
          }),
        ];
      }
      case 'failed': {
        await removeLetters(context, key);
        const { code = 'unknown', detail } = arrived.event;
        return [
          error('round-trip.failed', {
            resource,
            what: `an object for ${named} was not encrypted: ${code}${detail === undefined ? '' : ` (${detail})`}`,
            nextStep: nextStepOf(code),
            evidence: { code, encryption: named },
          }),
        ];
      }
      case 'nothing':
        return signal.aborted ? [] : [lost(context, resource, named, timeoutMs)];
      default:
        return arrived satisfies never;
    }
  } catch (cause) {
    const hopeless = CannotLook.because(cause instanceof SealdropError ? cause.cause : cause);
    if (hopeless !== null) throw hopeless;
    const source = cause instanceof SealdropError && cause.cause !== undefined ? cause.cause : cause;
    return [couldNotLook({ subject: 'round-trip', resource: stack.auditTable, action: 'dynamodb:Query' }, source)];
  }
}

function lost(context: DoctorContext, resource: string, named: string, timeoutMs: number): Finding {
  const { stack } = context;
  return error('round-trip.lost', {
    resource,
    what: `an object for ${named} has neither been encrypted nor failed within ${timeoutMs / 1000} s`,
    nextStep: `Look at the ingest bucket's notifications, the ingest queue, and the log group /aws/lambda/sealdrop-${stack.stage}-encrypt; then the role ${roleArn(stack, 'encrypt')}.`,
    evidence: { timeoutSeconds: timeoutMs / 1000, queue: stack.ingestQueueUrl },
  });
}
