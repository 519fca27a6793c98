/** Bucket policies: the statements that must stand there. What they do to requests, the probes try. */
import { GetBucketPolicyCommand } from '@aws-sdk/client-s3';
import { GetResourcePolicyCommand } from '@aws-sdk/client-secrets-manager';
import { awsCommand } from '../aws-command.ts';
import type { DoctorContext } from '../context.ts';
import { type ExpectedStatement, targetStatements, tlsStatements } from '../expected-policies.ts';
import { error, type Finding, warning } from '../finding.ts';
import { look } from '../look.ts';
import { functionsOf, otherStage, roleArn } from '../names.ts';
import {
  asksFor,
  comparedWith,
  covers,
  normalized,
  rawStatementsOf,
  type Statement,
  statementsOf,
  withStatements,
} from '../policy-document.ts';
import { addressOf, type BucketUnderCheck, question } from './bucket.ts';

/** Operators by which a deny leaves somebody out. */
const BUT_FOR = ['ArnNotEquals', 'ArnNotLike', 'ArnNotEqualsIfExists', 'ArnNotLikeIfExists', 'StringNotEquals', 'StringNotLike'];

export async function checkBucketPolicy(context: DoctorContext, bucket: BucketUnderCheck): Promise<Finding[]> {
  const glass = bucket.subject === 'target-bucket' ? await breakGlassOf(context) : null;
  const judge = (text: string | undefined) => [
    ...sharedRoles(context, bucket, text),
    ...JUDGES[bucket.subject](context, bucket, text, glass),
  ];
  return look(
    question(bucket, 's3:GetBucketPolicy'),
    () => context.clients.s3.send(new GetBucketPolicyCommand(addressOf(bucket))),
    ({ Policy }) => judge(Policy),
    { NoSuchBucketPolicy: () => judge(undefined) },
  );
}

/** @param glass who may break it; `null`: nobody could say */
type Judge = (context: DoctorContext, bucket: BucketUnderCheck, text: string | undefined, glass: string[] | null) => Finding[];

const JUDGES: Record<BucketUnderCheck['subject'], Judge> = {
  'ingest-bucket': insecure,
  'target-bucket': incomplete,
  'audit-bucket': (context, bucket, text) => [...insecure(context, bucket, text), ...deletable(bucket, text)],
};

/**
 * Who may break the glass, as the policy of the stack's own secret says.
 * @returns `null`: it may not be read, or says nothing of the kind, as one that was brought
 */
export async function breakGlassOf({ clients, stack }: DoctorContext): Promise<string[] | null> {
  const text = await clients.secrets.send(new GetResourcePolicyCommand({ SecretId: stack.customerKeySecret })).then(
    ({ ResourcePolicy }) => ResourcePolicy,
    () => undefined,
  );
  const keeps = deniesIn(text).filter(
    (statement) => covers(statement, 'secretsmanager:PutSecretValue') && !covers(statement, 'secretsmanager:GetSecretValue'),
  );
  return keeps.length === 0 ? null : keeps.flatMap((statement) => comparedWith(statement, BUT_FOR, 'aws:PrincipalArn'));
}

/** Principals that a policy with this text lets read objects; `null`: it keeps nobody from reading. */
export function readersOf(text: string | undefined): string[] | null {
  const denies = deniesIn(text).filter(guardsReads);
  return denies.length === 0 ? null : denies.flatMap((statement) => comparedWith(statement, BUT_FOR, 'aws:PrincipalArn'));
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html */
function insecure({ stack }: DoctorContext, { subject, name }: BucketUnderCheck, text: string | undefined): Finding[] {
  const denies = deniesIn(text).filter((statement) => covers(statement, 's3:GetObject'));
  const plain = denies.some((statement) => comparedWith(statement, ['Bool', 'BoolIfExists'], 'aws:SecureTransport').includes('false'));
  const old = denies.some((statement) => asksFor(statement, 's3:TlsVersion'));
  if (plain && old) return [];
  return [
    warning(`${subject}.tls-not-required`, {
      resource: name,
      what: `the bucket policy does not refuse requests ${plain ? 'by TLS older than 1.2' : 'without TLS'}`,
      nextStep: 'Deny them in the bucket policy.',
      command: putPolicy(name, text, tlsStatements(stack, name)),
    }),
  ];
}

/** The whole policy as the template has it, whoever made the bucket. */
function incomplete(
  { stack, policy, policyFile }: DoctorContext,
  { subject, name }: BucketUnderCheck,
  text: string | undefined,
  glass: string[] | null,
): Finding[] {
  const roles = functionsOf(policy).map((name) => roleArn(stack, name));
  const breakGlass = glass ?? (readersOf(text) ?? []).filter((arn) => !roles.includes(arn));
  const expected = targetStatements(stack, policy, breakGlass);
  const found = new Set(rawStatementsOf(text).map(normalized));
  const lacking = expected.filter((statement) => !found.has(normalized(statement))).map(({ Sid }) => Sid);
  if (lacking.length === 0) return [];
  const unknown = glass === null ? ' Check in ReadByFunctionsAlone who may break the glass.' : '';
  return [
    error(`${subject}.policy-incomplete`, {
      resource: name,
      what: `the bucket policy lacks what ${policyFile} asks for, or says it otherwise: ${lacking.join(', ')}`,
      nextStep: `Give the bucket this policy; statements of others stay.${unknown}`,
      command: putPolicy(name, text, expected),
      evidence: { lacking, found: statementsOf(text).map(({ sid }) => sid) },
    }),
  ];
}

function deletable({ subject, name }: BucketUnderCheck, text: string | undefined): Finding[] {
  if (deniesIn(text).some((statement) => covers(statement, 's3:DeleteObjectVersion'))) return [];
  return [
    warning(`${subject}.evidence-deletable`, {
      resource: name,
      what: 'the bucket policy does not deny the deletion of versions',
      nextStep: "Give the bucket the policy that stands in the packaged template as the audit bucket's (npx serverless package).",
    }),
  ];
}

function putPolicy(bucket: string, text: string | undefined, statements: ExpectedStatement[]): string {
  return awsCommand('s3api', 'put-bucket-policy', { bucket, policy: withStatements(text, statements) });
}

function deniesIn(text: string | undefined): Statement[] {
  return statementsOf(text).filter(({ effect }) => effect === 'Deny');
}

function guardsReads(statement: Statement): boolean {
  return covers(statement, 's3:GetObject') && comparedWith(statement, BUT_FOR, 'aws:PrincipalArn').length > 0;
}

function sharedRoles({ stack }: DoctorContext, { subject, name }: BucketUnderCheck, text: string | undefined): Finding[] {
  const named = statementsOf(text).flatMap((statement) => [
    ...statement.principals,
    ...comparedWith(statement, Object.keys(statement.conditions), 'aws:PrincipalArn'),
  ]);
  const stages = [...new Set(named.flatMap((arn) => otherStage(stack, arn) ?? []))];
  if (stages.length === 0) return [];
  return [
    error(`${subject}.shared-with-another-stage`, {
      resource: name,
      what: `the bucket policy names roles of the stage ${stages.join(', ')}: two stages share the bucket`,
      nextStep: 'Give each stage a bucket of its own, and take the other one out of the policy of this one.',
      evidence: { stages },
    }),
  ];
}
