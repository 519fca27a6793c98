/** The three buckets, and what each should be. */
import type { DoctorContext } from '../context.ts';
import type { Question } from '../look.ts';

export type BucketSubject = 'ingest-bucket' | 'target-bucket' | 'audit-bucket';

export interface BucketUnderCheck {
  subject: BucketSubject;
  name: string;
  /** Account that should own it. */
  owner: string;
}

export function bucketsOf({ stack }: DoctorContext): BucketUnderCheck[] {
  return [
    { subject: 'ingest-bucket', name: stack.ingestBucket, owner: stack.account },
    { subject: 'target-bucket', name: stack.targetBucket, owner: stack.targetBucketOwner },
    { subject: 'audit-bucket', name: stack.auditBucket, owner: stack.account },
  ];
}

export function question({ subject, name }: BucketUnderCheck, action: string): Question {
  return { subject, resource: name, action };
}

/** What every request about the bucket says, so that nobody else's bucket is looked at for it. */
export function addressOf({ name, owner }: BucketUnderCheck): { Bucket: string; ExpectedBucketOwner: string } {
  return { Bucket: name, ExpectedBucketOwner: owner };
}
