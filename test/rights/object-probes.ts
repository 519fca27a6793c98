/** Objects and buckets. */
import {
  AbortMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteBucketPolicyCommand,
  DeleteObjectCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  ListPartsCommand,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  PutObjectTaggingCommand,
  PutPublicAccessBlockCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { type Probe, probesOf } from './probe.ts';
import { type Clients, PLAIN_KEY, TARGET_KEYS, type World } from './world.ts';

type BucketName = keyof World['buckets'];

const NO_UPLOAD = 'no-such-upload';
const ALGORITHM = { SSECustomerAlgorithm: 'AES256' };
const customerKey = ({ customerKey }: World) => ({ ...ALGORITHM, SSECustomerKey: customerKey.toString('base64') });

/** To the end: what nobody reads keeps its connection. */
async function read(s3: S3Client, at: GetObjectCommandInput): Promise<void> {
  const { Body } = await s3.send(new GetObjectCommand(at));
  await Body?.transformToByteArray();
}

function objectProbes(name: BucketName, Key: string): Probe[] {
  const at = ({ buckets }: World) => ({ Bucket: buckets[name], Key });
  const version = (world: World) => ({ ...at(world), VersionId: world.versions.get(`${world.buckets[name]}/${Key}`) });
  const tagging = { Tagging: { TagSet: [{ Key: 'a', Value: 'b' }] } };
  return probesOf(
    `objects of the ${name} bucket`,
    {
      's3:GetObject': ({ s3 }, world) => read(s3, at(world)),
      's3:GetObjectVersion': ({ s3 }, world) => read(s3, version(world)),
      's3:GetObjectAttributes': ({ s3 }, world) => s3.send(new GetObjectAttributesCommand({ ...at(world), ObjectAttributes: ['ETag'] })),
      's3:GetObjectTagging': ({ s3 }, world) => s3.send(new GetObjectTaggingCommand(at(world))),
      's3:GetObjectVersionTagging': ({ s3 }, world) => s3.send(new GetObjectTaggingCommand(version(world))),
      's3:PutObjectTagging': ({ s3 }, world) => s3.send(new PutObjectTaggingCommand({ ...at(world), ...tagging })),
      's3:PutObjectVersionTagging': ({ s3 }, world) => s3.send(new PutObjectTaggingCommand({ ...version(world), ...tagging })),
      's3:AbortMultipartUpload': ({ s3 }, world) => s3.send(new AbortMultipartUploadCommand({ ...at(world), UploadId: NO_UPLOAD })),
      's3:ListMultipartUploadParts': ({ s3 }, world) => s3.send(new ListPartsCommand({ ...at(world), UploadId: NO_UPLOAD })),
      ...(name === 'target' ? {} : { 's3:PutObject': ({ s3 }, world) => s3.send(new PutObjectCommand({ ...at(world), Key: 'new.txt' })) }),
    },
    {
      's3:DeleteObject': ({ s3 }, world) => s3.send(new DeleteObjectCommand(at(world))),
      's3:DeleteObjectVersion': ({ s3 }, world) => s3.send(new DeleteObjectCommand(version(world))),
    },
  );
}

/** What opens depends on the key as well: S3 asks KMS in the caller's name, or wants the customer key. */
const encryptedReads: Probe[] = (['sse-s3', 'sse-kms', 'sse-c'] as const).flatMap((mode) => {
  const Key = TARGET_KEYS[mode];
  const at = (world: World) => ({ Bucket: world.buckets.target, Key, ...(mode === 'sse-c' ? customerKey(world) : {}) });
  return probesOf(`objects of the target bucket under ${mode}`, {
    's3:GetObject, opened': ({ s3 }, world) => read(s3, at(world)),
    's3:GetObject, HEAD': ({ s3 }, world) => s3.send(new HeadObjectCommand(at(world))),
  });
});

function write(described: string, more: (world: World) => Partial<PutObjectCommandInput>, Key: string): Probe[] {
  const ask: Probe['ask'] = ({ s3 }, world) =>
    s3.send(new PutObjectCommand({ Bucket: world.buckets.target, Key, Body: 'new', ...more(world) }));
  return probesOf(`objects of the target bucket, ${described}`, { 's3:PutObject': ask });
}

const ENCRYPTED_WRITES: Probe[] = [
  ...write('as policy says (sse-s3)', () => ({ ServerSideEncryption: 'AES256' }), 's3/new.txt'),
  ...write(
    'as policy says (sse-kms)',
    ({ stackKey }) => ({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: stackKey }),
    'bucket-key/new.txt',
  ),
  ...write(
    'as policy says (dsse-kms)',
    ({ stackKey }) => ({ ServerSideEncryption: 'aws:kms:dsse', SSEKMSKeyId: stackKey }),
    'dsse/new.txt',
  ),
  ...write('as policy says (aws/s3)', () => ({ ServerSideEncryption: 'aws:kms' }), 'managed/new.txt'),
  ...write('as policy says (sse-c)', customerKey, 'customer/new.txt'),
];

/** Parts carry no encryption of their own, and under KMS S3 opens its data key again for each. */
async function beginUpload({ s3 }: Clients, { buckets, stackKey }: World) {
  const at = { Bucket: buckets.target, Key: 'bucket-key/parts.txt' };
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ ...at, ServerSideEncryption: 'aws:kms', SSEKMSKeyId: stackKey }));
  return { ...at, UploadId, PartNumber: 1 };
}

const partedWrite: Probe[] = probesOf('objects of the target bucket, as policy says (sse-kms)', {
  's3:PutObject, in parts': async (clients, world) =>
    clients.s3.send(new UploadPartCommand({ ...(await beginUpload(clients, world)), Body: 'part' })),
  's3:PutObject, a part copied from the ingest bucket': async (clients, world) =>
    clients.s3.send(
      new UploadPartCopyCommand({ ...(await beginUpload(clients, world)), CopySource: `${world.buckets.ingest}/${PLAIN_KEY}` }),
    ),
});

/** Whoever compares an ETag must be able to read the object. */
const conditionalWrites: Probe[] = [
  ...write(
    'as policy says (sse-s3), where it replaces an ETag',
    () => ({ ServerSideEncryption: 'AES256', IfMatch: '"none"' }),
    's3/new.txt',
  ),
  ...write('as policy says (sse-s3), where there is none', () => ({ ServerSideEncryption: 'AES256', IfNoneMatch: '*' }), 's3/newer.txt'),
];

/** Nobody may: not even who may write. */
const WRONG_WRITES: Probe[] = [
  ...write('saying no encryption', () => ({}), 'bucket-key/new.txt'),
  ...write('under another mode than its prefix has', () => ({ ServerSideEncryption: 'AES256' }), 'bucket-key/new.txt'),
  ...write('under another key', ({ otherKey }) => ({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: otherKey }), 'bucket-key/new.txt'),
  ...write(
    'without SSE-C where its prefix has it',
    ({ stackKey }) => ({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: stackKey }),
    'customer/new.txt',
  ),
  ...write('under SSE-C where its prefix has another', customerKey, 's3/new.txt'),
];

const copies: Probe[] = probesOf('a copy from the target bucket to somewhere else', {
  's3:PutObject': ({ s3 }, { buckets }) =>
    s3.send(
      new CopyObjectCommand({ Bucket: buckets.stranger, Key: 'stolen.txt', CopySource: `${buckets.target}/${TARGET_KEYS['sse-s3']}` }),
    ),
});

function bucketProbes(name: BucketName): Probe[] {
  const at = ({ buckets }: World) => ({ Bucket: buckets[name] });
  const encryption = {
    ServerSideEncryptionConfiguration: { Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' as const } }] },
  };
  const block = {
    PublicAccessBlockConfiguration: { BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true },
  };
  const lifecycle = {
    LifecycleConfiguration: { Rules: [{ ID: 'all', Status: 'Enabled' as const, Filter: { Prefix: '' }, Expiration: { Days: 1 } }] },
  };
  return probesOf(
    `the ${name} bucket`,
    {
      's3:ListBucket': ({ s3 }, world) => s3.send(new ListObjectsV2Command(at(world))),
      's3:ListBucketVersions': ({ s3 }, world) => s3.send(new ListObjectVersionsCommand(at(world))),
      's3:ListBucketMultipartUploads': ({ s3 }, world) => s3.send(new ListMultipartUploadsCommand(at(world))),
      's3:GetBucketVersioning': ({ s3 }, world) => s3.send(new GetBucketVersioningCommand(at(world))),
      's3:GetBucketPolicy': ({ s3 }, world) => s3.send(new GetBucketPolicyCommand(at(world))),
    },
    {
      's3:PutEncryptionConfiguration': ({ s3 }, world) => s3.send(new PutBucketEncryptionCommand({ ...at(world), ...encryption })),
      's3:PutLifecycleConfiguration': ({ s3 }, world) =>
        s3.send(new PutBucketLifecycleConfigurationCommand({ ...at(world), ...lifecycle })),
      's3:PutBucketNotification': ({ s3 }, world) =>
        s3.send(new PutBucketNotificationConfigurationCommand({ ...at(world), NotificationConfiguration: {} })),
      's3:PutBucketVersioning': ({ s3 }, world) =>
        s3.send(new PutBucketVersioningCommand({ ...at(world), VersioningConfiguration: { Status: 'Suspended' } })),
      's3:PutBucketPublicAccessBlock': ({ s3 }, world) => s3.send(new PutPublicAccessBlockCommand({ ...at(world), ...block })),
      's3:PutBucketPolicy': ({ s3 }, world) =>
        s3.send(new PutBucketPolicyCommand({ ...at(world), Policy: emptyPolicy(world.buckets[name]) })),
      's3:DeleteBucketPolicy': ({ s3 }, world) => s3.send(new DeleteBucketPolicyCommand(at(world))),
      's3:DeleteBucket': ({ s3 }, world) => s3.send(new DeleteBucketCommand(at(world))),
    },
  );
}

function emptyPolicy(bucket: string): string {
  const Statement = { Effect: 'Deny', Principal: '*', Action: 's3:PutObject', Resource: `arn:aws:s3:::${bucket}/never` };
  return JSON.stringify({ Version: '2012-10-17', Statement });
}

export const OBJECT_PROBES: Probe[] = [
  ...objectProbes('ingest', PLAIN_KEY),
  ...bucketProbes('ingest'),
  ...objectProbes('target', TARGET_KEYS['sse-s3']),
  ...encryptedReads,
  ...ENCRYPTED_WRITES,
  ...partedWrite,
  ...conditionalWrites,
  ...WRONG_WRITES,
  ...copies,
  ...bucketProbes('target'),
  ...objectProbes('audit', PLAIN_KEY),
  ...bucketProbes('audit'),
  ...objectProbes('stranger', PLAIN_KEY),
  ...bucketProbes('stranger'),
];

/** What even who may everything else is refused. */
export const NEVER_ALLOWED_ON_OBJECTS: Probe[] = [
  ...WRONG_WRITES,
  // Object Lock.
  ...OBJECT_PROBES.filter(({ resource, action }) => resource === 'objects of the audit bucket' && action === 's3:DeleteObjectVersion'),
];
