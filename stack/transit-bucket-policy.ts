/** What the transit bucket refuses, whoever asks and whatever their role allows: it holds copies of what was kept from S3's own hands. */
import { type Condition, type Statement, sub } from './cloudformation.ts';
import { stackKey } from './keys-in-use.ts';
import { bucketArn, roleArn } from './names.ts';
import { readByFunctionsAlone } from './object-reads.ts';
import { functionsWith, objects, type Rights } from './rights.ts';
import type { Stack } from './stack.ts';
import { ALGORITHM, KMS_KEY, keepEncryption, noReplicas, urlsForMinutes } from './target-bucket-policy.ts';

/** Deletion is refused to nobody: whoever removes the stack must be able to empty it. */
export function transitBucketStatements(stack: Stack, rights: Rights): Statement[] {
  const writers = functionsWith(rights, 's3:PutObject', objects(stack, 'transit')).map((name) => sub(roleArn(stack, name)));
  return [
    ...readByFunctionsAlone(stack, rights, 'transit'),
    keepEncryption(stack, 'transit'),
    noReplicas(stack, 'transit'),
    urlsForMinutes(stack, 'transit'),
    write(stack, 'WrittenByTransitAlone', { ArnNotEquals: { 'aws:PrincipalArn': writers } }),
    write(stack, 'UnderKmsAlone', { StringNotEquals: { [ALGORITHM]: ['aws:kms'] } }),
    write(stack, 'UnderStackKeyAlone', { StringNotEquals: { [KMS_KEY]: [stackKey(stack)] } }),
  ];
}

function write(stack: Stack, Sid: string, Condition: Condition): Statement {
  return { Sid, Effect: 'Deny', Principal: '*', Action: ['s3:PutObject'], Resource: sub(`${bucketArn(stack, 'transit')}/*`), Condition };
}
