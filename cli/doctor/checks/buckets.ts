/** Buckets: there, ours, and set as the policy needs them. */
import type { Check, DoctorContext } from '../context.ts';
import type { Finding } from '../finding.ts';
import { type BucketUnderCheck, bucketsOf } from './bucket.ts';
import { checkEncryption } from './bucket-encryption.ts';
import { checkNotifications } from './bucket-notifications.ts';
import { whereIsBucket } from './bucket-place.ts';
import { checkBucketPolicy } from './bucket-policy.ts';
import { checkSettings } from './bucket-settings.ts';

export const buckets: Check = {
  area: 'buckets',
  async run(context) {
    return (await Promise.all(bucketsOf(context).map((bucket) => checkBucket(context, bucket)))).flat();
  },
};

async function checkBucket(context: DoctorContext, bucket: BucketUnderCheck): Promise<Finding[]> {
  const misplaced = await whereIsBucket(context, bucket);
  if (misplaced.length > 0) return misplaced;
  const looks = [checkSettings, checkEncryption, checkBucketPolicy, checkNotifications];
  return (await Promise.all(looks.map((check) => check(context, bucket)))).flat();
}
