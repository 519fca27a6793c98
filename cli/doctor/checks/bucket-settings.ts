/** Versions, public access, ownership, unfinished uploads, Object Lock. */
import {
  GetBucketLifecycleConfigurationCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  GetPublicAccessBlockCommand,
  type LifecycleRule,
} from '@aws-sdk/client-s3';
import { awsCommand } from '../aws-command.ts';
import type { DoctorContext } from '../context.ts';
import { error, type Finding, warning } from '../finding.ts';
import { look } from '../look.ts';
import { addressOf, type BucketUnderCheck, question } from './bucket.ts';

const BLOCKS = ['BlockPublicAcls', 'IgnorePublicAcls', 'BlockPublicPolicy', 'RestrictPublicBuckets'] as const;
/** What the stack gives its own buckets. */
const ABORT_DAYS = 7;

type Look = (context: DoctorContext, bucket: BucketUnderCheck) => Promise<Finding[]>;

/** What Object Lock must keep, and what it must not. */
const LOCKS: Record<BucketUnderCheck['subject'], Look[]> = {
  'ingest-bucket': [lockedSources],
  'target-bucket': [],
  'audit-bucket': [objectLock],
};

export async function checkSettings(context: DoctorContext, bucket: BucketUnderCheck): Promise<Finding[]> {
  const looks = [versioning, publicAccess, ownership, unfinishedUploads, ...LOCKS[bucket.subject]];
  return (await Promise.all(looks.map((check) => check(context, bucket)))).flat();
}

function versioning({ clients, policy, policyFile }: DoctorContext, bucket: BucketUnderCheck): Promise<Finding[]> {
  const { subject, name } = bucket;
  const deletes = subject === 'ingest-bucket' && policy.source === 'delete';
  const unversioned = (status: string) => {
    const said = `versioning is ${status === 'Suspended' ? 'suspended' : status}`;
    const finding = {
      resource: name,
      what: deletes ? `${said}, and ${policyFile} says "source: delete": the function encrypt refuses to work` : said,
      nextStep: deletes ? 'Enable versioning, or say "source: keep".' : 'Enable versioning.',
      command: awsCommand('s3api', 'put-bucket-versioning', { bucket: name, 'versioning-configuration': 'Status=Enabled' }),
      evidence: { status },
    };
    // Without versions a source that is kept is still pinned by its ETag; a copy that somebody overwrites is gone.
    const harmless = subject === 'ingest-bucket' && !deletes;
    return harmless ? warning(`${subject}.not-versioned`, finding) : error(`${subject}.not-versioned`, finding);
  };
  return look(
    question(bucket, 's3:GetBucketVersioning'),
    () => clients.s3.send(new GetBucketVersioningCommand(addressOf(bucket))),
    ({ Status = 'never enabled', MFADelete }) => [
      ...(Status === 'Enabled' ? [] : [unversioned(Status)]),
      ...(deletes && MFADelete === 'Enabled' ? [undeletable(bucket, 'the bucket wants MFA for the deletion of versions')] : []),
    ],
  );
}

/** What S3 refuses whatever rights there are. */
function undeletable({ subject, name }: BucketUnderCheck, what: string): Finding {
  return error(`${subject}.sources-undeletable`, {
    resource: name,
    what: `${what}: sources are encrypted and stay, and each is dead-lettered as source-kept`,
    nextStep: 'Bring another ingest bucket, or say "source: keep" in the policy.',
  });
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html */
function lockedSources({ clients, policy }: DoctorContext, bucket: BucketUnderCheck): Promise<Finding[]> {
  if (policy.source === 'keep') return Promise.resolve([]);
  return look(
    question(bucket, 's3:GetBucketObjectLockConfiguration'),
    () => clients.s3.send(new GetObjectLockConfigurationCommand(addressOf(bucket))),
    ({ ObjectLockConfiguration: lock }) =>
      lock?.Rule?.DefaultRetention === undefined ? [] : [undeletable(bucket, 'Object Lock retains what is dropped')],
    { ObjectLockConfigurationNotFoundError: () => [] },
  );
}

function publicAccess({ clients }: DoctorContext, bucket: BucketUnderCheck): Promise<Finding[]> {
  const { subject, name } = bucket;
  const open = (missing: readonly string[]) => [
    error(`${subject}.public-access-not-blocked`, {
      resource: name,
      what: `public access is not blocked: ${missing.join(', ')}`,
      nextStep: 'Block public access.',
      command: awsCommand('s3api', 'put-public-access-block', {
        bucket: name,
        'public-access-block-configuration': BLOCKS.map((block) => `${block}=true`).join(','),
      }),
      evidence: { missing },
    }),
  ];
  return look(
    question(bucket, 's3:GetBucketPublicAccessBlock'),
    () => clients.s3.send(new GetPublicAccessBlockCommand(addressOf(bucket))),
    ({ PublicAccessBlockConfiguration: blocks = {} }) => {
      const missing = BLOCKS.filter((block) => blocks[block] !== true);
      return missing.length > 0 ? open(missing) : [];
    },
    { NoSuchPublicAccessBlockConfiguration: () => open(BLOCKS) },
  );
}

function ownership({ clients }: DoctorContext, bucket: BucketUnderCheck): Promise<Finding[]> {
  const { subject, name } = bucket;
  const shared = (found: string) => [
    warning(`${subject}.acls-enabled`, {
      resource: name,
      what: `objects may belong to others than the bucket's owner (${found})`,
      nextStep: 'Enforce the ownership of the bucket owner.',
      command: awsCommand('s3api', 'put-bucket-ownership-controls', {
        bucket: name,
        'ownership-controls': { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      }),
      evidence: { ownership: found },
    }),
  ];
  return look(
    question(bucket, 's3:GetBucketOwnershipControls'),
    () => clients.s3.send(new GetBucketOwnershipControlsCommand(addressOf(bucket))),
    ({ OwnershipControls }) => {
      const found = OwnershipControls?.Rules?.[0]?.ObjectOwnership ?? 'none';
      return found === 'BucketOwnerEnforced' ? [] : shared(found);
    },
    { OwnershipControlsNotFoundError: () => shared('none') },
  );
}

function unfinishedUploads({ clients }: DoctorContext, bucket: BucketUnderCheck): Promise<Finding[]> {
  const { subject, name } = bucket;
  const kept = (rules: LifecycleRule[]) => [
    warning(`${subject}.unfinished-uploads-kept`, {
      resource: name,
      what: 'no lifecycle rule aborts unfinished uploads: their parts are stored, and paid for, for ever',
      nextStep: `Abort unfinished uploads after ${ABORT_DAYS} days.`,
      command: awsCommand('s3api', 'put-bucket-lifecycle-configuration', {
        bucket: name,
        'lifecycle-configuration': {
          Rules: [
            ...rules,
            {
              ID: 'abort-unfinished-uploads',
              Status: 'Enabled',
              Filter: {},
              AbortIncompleteMultipartUpload: { DaysAfterInitiation: ABORT_DAYS },
            },
          ],
        },
      }),
      evidence: { rules: rules.map(({ ID = '' }) => ID) },
    }),
  ];
  return look(
    question(bucket, 's3:GetLifecycleConfiguration'),
    () => clients.s3.send(new GetBucketLifecycleConfigurationCommand(addressOf(bucket))),
    ({ Rules = [] }) =>
      Rules.some((rule) => rule.Status === 'Enabled' && rule.AbortIncompleteMultipartUpload !== undefined) ? [] : kept(Rules),
    { NoSuchLifecycleConfiguration: () => kept([]) },
  );
}

function objectLock({ clients }: DoctorContext, bucket: BucketUnderCheck): Promise<Finding[]> {
  const { subject, name } = bucket;
  return look(
    question(bucket, 's3:GetBucketObjectLockConfiguration'),
    () => clients.s3.send(new GetObjectLockConfigurationCommand(addressOf(bucket))),
    ({ ObjectLockConfiguration: lock }) =>
      lock?.Rule?.DefaultRetention === undefined
        ? [
            error(`${subject}.no-retention`, {
              resource: name,
              what: 'Object Lock keeps nothing by default: what is archived here can be deleted',
              nextStep: 'Set a default retention; the stack takes it from --param auditLockMode and auditLockDays.',
              command: awsCommand('s3api', 'put-object-lock-configuration', {
                bucket: name,
                'object-lock-configuration': {
                  ObjectLockEnabled: 'Enabled',
                  Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 1 } },
                },
              }),
            }),
          ]
        : [],
    {
      ObjectLockConfigurationNotFoundError: () => [
        error(`${subject}.not-locked`, {
          resource: name,
          what: 'Object Lock is off: what is archived here can be deleted',
          nextStep: 'Enable Object Lock on the bucket, with a default retention.',
          command: awsCommand('s3api', 'put-object-lock-configuration', {
            bucket: name,
            'object-lock-configuration': { ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 1 } } },
          }),
        }),
      ],
    },
  );
}
