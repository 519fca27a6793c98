/** Bucket policies: the statements that must stand there. What they do to requests, the probes try. */
import { GetBucketPolicyCommand } from '@aws-sdk/client-s3';
import { awsCommand } from '../aws-command.ts';
import type { DoctorContext } from '../context.ts';
import { error, type Finding, warning } from '../finding.ts';
import { look } from '../look.ts';
import { bucketArn, otherStage } from '../names.ts';
import { asksFor, comparedWith, covers, type Statement, statementsOf, withStatements } from '../policy-document.ts';
import { addressOf, type BucketUnderCheck, question } from './bucket.ts';

/** Operators by which a deny leaves somebody out. */
const BUT_FOR = ['ArnNotEquals', 'ArnNotLike', 'ArnNotEqualsIfExists', 'ArnNotLikeIfExists', 'StringNotEquals', 'StringNotLike'];

export function checkBucketPolicy(context: DoctorContext, bucket: BucketUnderCheck): Promise<Finding[]> {
  const judge = (text: string | undefined) => {
    const denies = statementsOf(text).filter(({ effect }) => effect === 'Deny');
    const findings = [...insecure(context, bucket, denies, text), ...sharedRoles(context, bucket, text)];
    return bucket.subject === 'target-bucket' ? [...findings, ...unguarded(bucket, denies)] : findings;
  };
  return look(
    question(bucket, 's3:GetBucketPolicy'),
    () => context.clients.s3.send(new GetBucketPolicyCommand(addressOf(bucket))),
    ({ Policy }) => judge(Policy),
    { NoSuchBucketPolicy: () => judge(undefined) },
  );
}

/** Principals that a policy with this text lets read objects; `null`: it keeps nobody from reading. */
export function readersOf(text: string | undefined): string[] | null {
  const denies = statementsOf(text).filter((statement) => statement.effect === 'Deny' && guardsReads(statement));
  return denies.length === 0 ? null : denies.flatMap((statement) => comparedWith(statement, BUT_FOR, 'aws:PrincipalArn'));
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html */
function insecure({ stack }: DoctorContext, { subject, name }: BucketUnderCheck, denies: Statement[], text: string | undefined): Finding[] {
  const refusesPlain = denies.some(
    (statement) =>
      covers(statement, 's3:GetObject') && comparedWith(statement, ['Bool', 'BoolIfExists'], 'aws:SecureTransport').includes('false'),
  );
  if (refusesPlain) return [];
  const arn = bucketArn(stack, name);
  const statement = {
    Sid: 'TlsOnly',
    Effect: 'Deny',
    Principal: '*',
    Action: 's3:*',
    Resource: [arn, `${arn}/*`],
    Condition: { Bool: { 'aws:SecureTransport': 'false' } },
  };
  const finding = {
    resource: name,
    what: 'the bucket policy does not refuse requests without TLS',
    nextStep: 'Deny them in the bucket policy.',
    command: awsCommand('s3api', 'put-bucket-policy', { bucket: name, policy: withStatements(text, [statement]) }),
  };
  return [subject === 'ingest-bucket' ? warning(`${subject}.tls-not-required`, finding) : error(`${subject}.tls-not-required`, finding)];
}

function unguarded({ subject, name }: BucketUnderCheck, denies: Statement[]): Finding[] {
  const findings: Finding[] = [];
  if (!denies.some(guardsWrites))
    findings.push(
      error(`${subject}.writes-not-guarded`, {
        resource: name,
        what: 'the bucket policy lets anybody with s3:PutObject write under any encryption',
        nextStep: "Give the bucket the policy that stands in the packaged template as the target bucket's (npx serverless package).",
      }),
    );
  if (!denies.some(guardsReads))
    findings.push(
      error(`${subject}.reads-not-denied`, {
        resource: name,
        what: 'the bucket policy lets anybody with s3:GetObject read past the API',
        nextStep: "Give the bucket the policy that stands in the packaged template as the target bucket's (npx serverless package).",
      }),
    );
  return findings;
}

function guardsWrites(statement: Statement): boolean {
  return (
    covers(statement, 's3:PutObject') &&
    (asksFor(statement, 's3:x-amz-server-side-encryption') || asksFor(statement, 's3:x-amz-server-side-encryption-aws-kms-key-id'))
  );
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
