/** Everything expected of S3. */
import type { Expectation } from '../expectation.ts';
import { BUCKET_POLICIES } from './bucket-policies.ts';
import { BUCKET_PROTECTION } from './bucket-protection.ts';
import { BUCKETS } from './buckets.ts';
import { CHECKSUMS } from './checksums.ts';
import { CONDITIONS } from './conditions.ts';
import { COPIES } from './copies.ts';
import { KMS_MODES } from './kms-modes.ts';
import { LISTING } from './listing.ts';
import { MULTIPART } from './multipart.ts';
import { NOTIFICATIONS } from './notifications.ts';
import { PART_COPIES } from './part-copies.ts';
import { PLAIN_OBJECTS } from './plain-objects.ts';
import { PRESIGNED } from './presigned.ts';
import { SSE_C } from './sse-c.ts';
import { VERSIONS } from './versions.ts';

export const S3: Expectation[] = [
  ...BUCKETS,
  ...BUCKET_PROTECTION,
  ...PLAIN_OBJECTS,
  ...CHECKSUMS,
  ...KMS_MODES,
  ...SSE_C,
  ...COPIES,
  ...MULTIPART,
  ...PART_COPIES,
  ...CONDITIONS,
  ...VERSIONS,
  ...LISTING,
  ...NOTIFICATIONS,
  ...BUCKET_POLICIES,
  ...PRESIGNED,
];
