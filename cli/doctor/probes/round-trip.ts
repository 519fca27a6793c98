/** One small object for each encryption that the policy names: dropped, awaited, compared, fetched, removed. */
import { randomBytes } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { ErrorCode } from '../../../src/errors.ts';
import { CannotLook } from '../../cannot-look.ts';
import { nextStepOf } from '../../error-code.ts';
import type { DoctorContext } from '../context.ts';
import { error, type Finding } from '../finding.ts';
import { couldNotLook } from '../look.ts';
import { arrival } from './arrival.ts';
import { removeLetters, removeObjects } from './clean-up.ts';
import { downloadProblems } from './download.ts';
import { differences, expectedEncryption, nameOf } from './expected.ts';
import { type Example, membersOf } from './plan.ts';
import { awsCause, type ProbeOptions, type ProbeResult } from './probe.ts';

/** What became of one object. */
type Outcome =
  | { kind: 'arrived'; ms: number }
  /** Neither encrypted nor failed in time. */
  | { kind: 'lost' }
  | { kind: 'failed'; code: ErrorCode; detail: string | undefined }
  | { kind: 'found'; finding: Finding }
  | { kind: 'interrupted' };

interface Trip {
  example: Example;
  outcome: Outcome;
  downloaded: boolean;
  /** Of the way back, and of what could not be removed. */
  findings: Finding[];
}

/** @throws CannotLook */
export async function roundTrips(context: DoctorContext, examples: Example[], options: ProbeOptions): Promise<ProbeResult> {
  const running = examples.map((example) => roundTrip(context, example, options));
  // Each removes what it dropped, also when another fails.
  await Promise.allSettled(running);
  const trips = await Promise.all(running);
  return {
    proofs: trips.map(({ example, outcome, downloaded }) => ({
      encryption: nameOf(example.encryption),
      key: example.facts.key,
      ms: outcome.kind === 'arrived' ? outcome.ms : null,
      downloaded,
    })),
    findings: [
      ...trips.flatMap(({ outcome }) => (outcome.kind === 'found' ? [outcome.finding] : [])),
      ...failures(context, trips),
      ...losses(context, trips, options.timeoutMs),
      ...distinct(trips.flatMap(({ findings }) => findings)),
    ],
  };
}

async function roundTrip(context: DoctorContext, example: Example, options: ProbeOptions): Promise<Trip> {
  const { key, size } = example.facts;
  const bytes = randomBytes(size);
  const refusal = await drop(context, example, bytes);
  if (refusal !== null) return { example, outcome: { kind: 'found', finding: refusal }, downloaded: false, findings: [] };
  try {
    const outcome = await outcomeOf(context, example, options);
    if (outcome.kind === 'failed') await removeLetters(context, key);
    const asked = outcome.kind === 'arrived' ? options.api : null;
    const problems = asked === null ? [] : await downloadProblems(asked, key, bytes);
    return {
      example,
      outcome,
      downloaded: asked !== null && problems.length === 0,
      findings: [...problems, ...(await removeObjects(context, key))],
    };
  } catch (cause) {
    await removeObjects(context, key);
    throw cause;
  }
}

/** `null`: it lies in the ingest bucket. */
async function drop({ clients, stack }: DoctorContext, example: Example, bytes: Buffer): Promise<Finding | null> {
  const { key } = example.facts;
  const put = new PutObjectCommand({
    Bucket: stack.ingestBucket,
    ExpectedBucketOwner: stack.account,
    Key: key,
    Body: bytes,
    ...membersOf(example),
  });
  try {
    await clients.s3.send(put);
    return null;
  } catch (cause) {
    const hopeless = CannotLook.because(cause);
    if (hopeless !== null) throw hopeless;
    return couldNotLook({ subject: 'round-trip', resource: `${stack.ingestBucket}/${key}`, action: 's3:PutObject' }, cause);
  }
}

async function outcomeOf(context: DoctorContext, example: Example, { timeoutMs, signal }: ProbeOptions): Promise<Outcome> {
  const { stack } = context;
  const started = Date.now();
  try {
    const expected = await expectedEncryption(context, example.encryption);
    const arrived = await arrival(context, example.facts.key, timeoutMs, signal);
    switch (arrived.kind) {
      case 'recorded': {
        const found = arrived.record.encryption;
        const different = differences(expected, found);
        if (different.length === 0) return { kind: 'arrived', ms: Date.now() - started };
        return { kind: 'found', finding: otherEncryption(context, example, different, { expected, found }) };
      }
      case 'failed':
        return { kind: 'failed', code: arrived.event.code ?? 'unknown', detail: arrived.event.detail };
      case 'nothing':
        return { kind: signal.aborted ? 'interrupted' : 'lost' };
      default:
        return arrived satisfies never;
    }
  } catch (cause) {
    const source = awsCause(cause);
    const hopeless = CannotLook.because(source);
    if (hopeless !== null) throw hopeless;
    const question = { subject: 'round-trip', resource: stack.auditTable, action: 'dynamodb:Query' } as const;
    return { kind: 'found', finding: couldNotLook(question, source) };
  }
}

function otherEncryption(
  { stack }: DoctorContext,
  { encryption, facts }: Example,
  different: string[],
  evidence: Finding['evidence'],
): Finding {
  return error('round-trip.other-encryption', {
    resource: `${stack.targetBucket}/${facts.key}`,
    what: `the policy asks for ${nameOf(encryption)}, and the object was stored otherwise: ${different.join(', ')}`,
    nextStep: 'Deploy this policy; if it is deployed, treat what was stored meanwhile as drift.',
    evidence,
  });
}

/** One finding a cause, however many encryptions it stands behind. */
function failures({ stack }: DoctorContext, trips: Trip[]): Finding[] {
  const failed = trips.flatMap(({ example, outcome }) => (outcome.kind === 'failed' ? [{ example, ...outcome }] : []));
  return [...new Set(failed.map(({ code }) => code))].map((code) => {
    const alike = failed.filter((trip) => trip.code === code);
    return error('round-trip.failed', {
      resource: stack.targetBucket,
      what: `not encrypted for ${code}: ${listed(alike)}`,
      nextStep: nextStepOf(code),
      evidence: { code, encryptions: alike.map(({ example }) => nameOf(example.encryption)), details: alike.map(({ detail }) => detail) },
    });
  });
}

function losses({ stack }: DoctorContext, trips: Trip[], timeoutMs: number): Finding[] {
  const lost = trips.filter(({ outcome }) => outcome.kind === 'lost');
  if (lost.length === 0) return [];
  return [
    error('round-trip.lost', {
      resource: stack.ingestBucket,
      what: `neither encrypted nor failed within ${timeoutMs / 1000} s: ${listed(lost)}`,
      nextStep: `Look at the notifications of the ingest bucket, at the ingest queue, and at the log group /aws/lambda/sealdrop-${stack.stage}-encrypt.`,
      evidence: {
        timeoutSeconds: timeoutMs / 1000,
        queue: stack.ingestQueueUrl,
        encryptions: lost.map(({ example }) => nameOf(example.encryption)),
      },
    }),
  ];
}

/** What is the API's own trouble is said once. */
function distinct(findings: Finding[]): Finding[] {
  return [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()];
}

function listed(trips: { example: Example }[]): string {
  return trips.map(({ example }) => nameOf(example.encryption)).join(', ');
}
