/** Whether a bucket is where it should be: missing, in another Region and in another account are told apart. */
import { HeadBucketCommand } from '@aws-sdk/client-s3';
import { CannotLook } from '../../cannot-look.ts';
import { errorName, httpStatus } from '../../sdk-error.ts';
import type { DoctorContext } from '../context.ts';
import { error, type Finding, warning } from '../finding.ts';
import { addressOf, type BucketUnderCheck } from './bucket.ts';

/**
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
 * @throws CannotLook
 */
export async function whereIsBucket(context: DoctorContext, bucket: BucketUnderCheck): Promise<Finding[]> {
  const { clients, stack } = context;
  const { subject, name, owner } = bucket;
  try {
    const { BucketRegion: region = stack.region } = await clients.s3.send(new HeadBucketCommand(addressOf(bucket)));
    return region === stack.region ? [] : [elsewhere(context, bucket, region)];
  } catch (cause) {
    switch (httpStatus(cause)) {
      case 404:
        return [
          error(`${subject}.missing`, {
            resource: name,
            what: 'there is no such bucket',
            nextStep: 'Deploy the stack, or correct the name of the bucket that was brought.',
            evidence: { owner },
          }),
        ];
      case 301:
      case 400:
        return [elsewhere(context, bucket, null)];
      case 403:
        return [await somebodyElses(context, bucket)];
      default: {
        const hopeless = CannotLook.because(cause);
        if (hopeless !== null) throw hopeless;
        return [
          warning(`${subject}.could-not-look`, {
            resource: name,
            what: `could not look: HeadBucket failed (${errorName(cause)})`,
            nextStep: 'Try again; if it stays, look at the cause.',
            evidence: { error: errorName(cause), status: httpStatus(cause) },
          }),
        ];
      }
    }
  }
}

function elsewhere({ stack }: DoctorContext, { subject, name }: BucketUnderCheck, region: string | null): Finding {
  return error(`${subject}.other-region`, {
    resource: name,
    what: `the bucket is in ${region ?? 'another Region'}, the stack in ${stack.region}`,
    nextStep: "Take a bucket in the stack's Region, or deploy the stack in the bucket's.",
    evidence: { region, stackRegion: stack.region },
  });
}

/** Refused with the expected owner: whoever may look without it sees somebody else's bucket. */
async function somebodyElses({ clients }: DoctorContext, { subject, name, owner }: BucketUnderCheck): Promise<Finding> {
  const seen = await clients.s3.send(new HeadBucketCommand({ Bucket: name })).then(
    () => true,
    () => false,
  );
  if (seen)
    return error(`${subject}.other-account`, {
      resource: name,
      what: `the bucket exists and does not belong to account ${owner}`,
      nextStep: 'Bucket names are unique in the world: take another name, or say whose it is (--param targetBucketOwner=ACCOUNT).',
      evidence: { expectedOwner: owner },
    });
  return warning(`${subject}.could-not-look`, {
    resource: name,
    what: "could not look: the bucket exists, and is another account's or s3:ListBucket is denied",
    nextStep: `Grant s3:ListBucket to whoever runs this, or check that account ${owner} owns the bucket.`,
    evidence: { action: 's3:ListBucket', expectedOwner: owner },
  });
}
