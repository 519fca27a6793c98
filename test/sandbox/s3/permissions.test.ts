/** Each operation with exactly the permissions that AWS's page lists for it: all of them suffice, and none of them can be missing. */
import * as s3 from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VERSIONED as Bucket, openSandbox, refusal, type Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
const Key = 'folder/object';
const BUCKET_ARN = `arn:aws:s3:::${Bucket}`;
const OBJECT_ARN = `${BUCKET_ARN}/${Key}`;
const TARGET_ARN = `${BUCKET_ARN}/target`;
const ROLE = 'arn:aws:sts::000000000000:assumed-role/tested/session';

beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(async () => {
  expect(sandbox.defects).toEqual([]);
  await sandbox[Symbol.asyncDispose]();
});

interface Prepared {
  VersionId: string;
  ETag: string;
  UploadId: string;
  PartETag: string;
}
type Send = (client: s3.S3Client, prepared: Prepared) => Promise<unknown>;
/** Action and resource of each permission. */
type Row = [name: string, permissions: [action: string, resource: string][], send: Send];

const onBucket = (...actions: string[]): [string, string][] => actions.map((action) => [action, BUCKET_ARN]);
const onObject = (...actions: string[]): [string, string][] => actions.map((action) => [action, OBJECT_ARN]);
const policy = JSON.stringify({
  Version: '2012-10-17',
  Statement: { Effect: 'Deny', Principal: '*', Action: 's3:DeleteBucket', Resource: BUCKET_ARN },
});
const TagSet = [{ Key: 'a', Value: 'b' }];
const source = (version?: string) => `${Bucket}/${Key}${version === undefined ? '' : `?versionId=${version}`}`;

const ROWS: Row[] = [
  ['ListBuckets', [['s3:ListAllMyBuckets', '*']], (client) => client.send(new s3.ListBucketsCommand({}))],
  ['CreateBucket', [['s3:CreateBucket', 'arn:aws:s3:::made']], (client) => client.send(new s3.CreateBucketCommand({ Bucket: 'made' }))],
  [
    'CreateBucket with Object Lock',
    ['s3:CreateBucket', 's3:PutBucketObjectLockConfiguration', 's3:PutBucketVersioning'].map((action) => [action, 'arn:aws:s3:::locked']),
    (client) => client.send(new s3.CreateBucketCommand({ Bucket: 'locked', ObjectLockEnabledForBucket: true })),
  ],
  ['DeleteBucket', [['s3:DeleteBucket', 'arn:aws:s3:::made']], (client) => client.send(new s3.DeleteBucketCommand({ Bucket: 'made' }))],
  ['HeadBucket', onBucket('s3:ListBucket'), (client) => client.send(new s3.HeadBucketCommand({ Bucket }))],
  ['GetBucketLocation', onBucket('s3:GetBucketLocation'), (client) => client.send(new s3.GetBucketLocationCommand({ Bucket }))],
  ['GetBucketVersioning', onBucket('s3:GetBucketVersioning'), (client) => client.send(new s3.GetBucketVersioningCommand({ Bucket }))],
  [
    'PutBucketVersioning',
    onBucket('s3:PutBucketVersioning'),
    (client) => client.send(new s3.PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } })),
  ],
  [
    'GetBucketEncryption',
    onBucket('s3:GetEncryptionConfiguration'),
    (client) => client.send(new s3.GetBucketEncryptionCommand({ Bucket })),
  ],
  [
    'DeleteBucketEncryption',
    onBucket('s3:PutEncryptionConfiguration'),
    (client) => client.send(new s3.DeleteBucketEncryptionCommand({ Bucket })),
  ],
  [
    'PutBucketNotificationConfiguration',
    onBucket('s3:PutBucketNotification'),
    (client) => client.send(new s3.PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: {} })),
  ],
  [
    'GetBucketNotificationConfiguration',
    onBucket('s3:GetBucketNotification'),
    (client) => client.send(new s3.GetBucketNotificationConfigurationCommand({ Bucket })),
  ],
  [
    'GetPublicAccessBlock',
    onBucket('s3:GetBucketPublicAccessBlock'),
    (client) => client.send(new s3.GetPublicAccessBlockCommand({ Bucket })),
  ],
  ['PutBucketPolicy', onBucket('s3:PutBucketPolicy'), (client) => client.send(new s3.PutBucketPolicyCommand({ Bucket, Policy: policy }))],
  ['GetBucketPolicy', onBucket('s3:GetBucketPolicy'), (client) => client.send(new s3.GetBucketPolicyCommand({ Bucket }))],
  ['DeleteBucketPolicy', onBucket('s3:DeleteBucketPolicy'), (client) => client.send(new s3.DeleteBucketPolicyCommand({ Bucket }))],
  [
    'PutBucketTagging',
    onBucket('s3:PutBucketTagging'),
    (client) => client.send(new s3.PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } })),
  ],
  ['GetBucketTagging', onBucket('s3:GetBucketTagging'), (client) => client.send(new s3.GetBucketTaggingCommand({ Bucket }))],
  ['ListObjects', onBucket('s3:ListBucket'), (client) => client.send(new s3.ListObjectsCommand({ Bucket }))],
  ['ListObjectsV2', onBucket('s3:ListBucket'), (client) => client.send(new s3.ListObjectsV2Command({ Bucket }))],
  ['ListObjectVersions', onBucket('s3:ListBucketVersions'), (client) => client.send(new s3.ListObjectVersionsCommand({ Bucket }))],
  [
    'ListMultipartUploads',
    onBucket('s3:ListBucketMultipartUploads'),
    (client) => client.send(new s3.ListMultipartUploadsCommand({ Bucket })),
  ],

  ['GetObject', onObject('s3:GetObject'), (client) => client.send(new s3.GetObjectCommand({ Bucket, Key }))],
  [
    'GetObject of a version',
    onObject('s3:GetObjectVersion'),
    (client, { VersionId }) => client.send(new s3.GetObjectCommand({ Bucket, Key, VersionId })),
  ],
  ['HeadObject', onObject('s3:GetObject'), (client) => client.send(new s3.HeadObjectCommand({ Bucket, Key }))],
  [
    'HeadObject of a version',
    onObject('s3:GetObjectVersion'),
    (client, { VersionId }) => client.send(new s3.HeadObjectCommand({ Bucket, Key, VersionId })),
  ],
  [
    'GetObjectAttributes',
    onObject('s3:GetObject', 's3:GetObjectAttributes'),
    (client) => client.send(new s3.GetObjectAttributesCommand({ Bucket, Key, ObjectAttributes: ['ETag'] })),
  ],
  [
    'GetObjectAttributes of a version',
    onObject('s3:GetObjectVersion', 's3:GetObjectVersionAttributes'),
    (client, { VersionId }) => client.send(new s3.GetObjectAttributesCommand({ Bucket, Key, VersionId, ObjectAttributes: ['ETag'] })),
  ],
  ['GetObjectTagging', onObject('s3:GetObjectTagging'), (client) => client.send(new s3.GetObjectTaggingCommand({ Bucket, Key }))],
  [
    'GetObjectTagging of a version',
    onObject('s3:GetObjectVersionTagging'),
    (client, { VersionId }) => client.send(new s3.GetObjectTaggingCommand({ Bucket, Key, VersionId })),
  ],
  [
    'PutObjectTagging',
    onObject('s3:PutObjectTagging'),
    (client) => client.send(new s3.PutObjectTaggingCommand({ Bucket, Key, Tagging: { TagSet } })),
  ],
  [
    'DeleteObjectTagging of a version',
    onObject('s3:DeleteObjectVersionTagging'),
    (client, { VersionId }) => client.send(new s3.DeleteObjectTaggingCommand({ Bucket, Key, VersionId })),
  ],
  ['PutObject', onObject('s3:PutObject'), (client) => client.send(new s3.PutObjectCommand({ Bucket, Key, Body: 'x' }))],
  [
    'PutObject with tags',
    onObject('s3:PutObject', 's3:PutObjectTagging'),
    (client) => client.send(new s3.PutObjectCommand({ Bucket, Key, Body: 'x', Tagging: 'a=b' })),
  ],
  [
    'PutObject with an ACL',
    onObject('s3:PutObject', 's3:PutObjectAcl'),
    (client) => client.send(new s3.PutObjectCommand({ Bucket, Key, Body: 'x', ACL: 'private' })),
  ],
  [
    'PutObject on an ETag',
    onObject('s3:PutObject', 's3:GetObject'),
    (client, { ETag }) => client.send(new s3.PutObjectCommand({ Bucket, Key, Body: 'x', IfMatch: ETag })),
  ],
  [
    'PutObject of a new key alone',
    [['s3:PutObject', `${BUCKET_ARN}/new`]],
    (client) => client.send(new s3.PutObjectCommand({ Bucket, Key: 'new', Body: 'x', IfNoneMatch: '*' })),
  ],
  [
    'CopyObject',
    [...onObject('s3:GetObject'), ['s3:PutObject', TARGET_ARN]],
    (client) => client.send(new s3.CopyObjectCommand({ Bucket, Key: 'target', CopySource: source() })),
  ],
  [
    'CopyObject of a version, on an ETag, with annotations',
    [
      ...onObject('s3:GetObjectVersion', 's3:GetObjectAnnotation'),
      ...['s3:PutObject', 's3:GetObject', 's3:PutObjectAnnotation'].map((action): [string, string] => [action, TARGET_ARN]),
    ],
    async (client, { VersionId }) => {
      const { ETag } = await sandbox.client.send(new s3.HeadObjectCommand({ Bucket, Key: 'target' }));
      const copy = { Bucket, Key: 'target', CopySource: source(VersionId), IfMatch: ETag, AnnotationDirective: 'COPY' as const };
      return client.send(new s3.CopyObjectCommand(copy));
    },
  ],
  [
    'CopyObject of a tagged version',
    [...onObject('s3:GetObjectVersion', 's3:GetObjectVersionTagging'), ['s3:PutObject', TARGET_ARN], ['s3:PutObjectTagging', TARGET_ARN]],
    async (client) => {
      const { VersionId } = await sandbox.client.send(new s3.PutObjectCommand({ Bucket, Key, Body: 'x', Tagging: 'a=b' }));
      return client.send(new s3.CopyObjectCommand({ Bucket, Key: 'target', CopySource: source(VersionId) }));
    },
  ],
  [
    'CopyObject with tags of its own',
    [...onObject('s3:GetObject'), ['s3:PutObject', TARGET_ARN], ['s3:PutObjectTagging', TARGET_ARN]],
    (client) =>
      client.send(new s3.CopyObjectCommand({ Bucket, Key: 'target', CopySource: source(), TaggingDirective: 'REPLACE', Tagging: 'c=d' })),
  ],
  ['DeleteObject', onObject('s3:DeleteObject'), (client) => client.send(new s3.DeleteObjectCommand({ Bucket, Key }))],
  [
    'DeleteObject of a version',
    onObject('s3:DeleteObjectVersion'),
    (client, { VersionId }) => client.send(new s3.DeleteObjectCommand({ Bucket, Key, VersionId })),
  ],
  [
    'DeleteObject on an ETag',
    onObject('s3:DeleteObject', 's3:GetObject'),
    (client, { ETag }) => client.send(new s3.DeleteObjectCommand({ Bucket, Key, IfMatch: ETag })),
  ],
  [
    'DeleteObject of what exists',
    onObject('s3:DeleteObject'),
    (client) => client.send(new s3.DeleteObjectCommand({ Bucket, Key, IfMatch: '*' })),
  ],
  [
    'CreateMultipartUpload with tags',
    onObject('s3:PutObject', 's3:PutObjectTagging'),
    (client) => client.send(new s3.CreateMultipartUploadCommand({ Bucket, Key, Tagging: 'a=b' })),
  ],
  [
    'UploadPart',
    onObject('s3:PutObject'),
    (client, { UploadId }) => client.send(new s3.UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 2, Body: 'x' })),
  ],
  [
    'ListParts',
    onObject('s3:ListMultipartUploadParts'),
    (client, { UploadId }) => client.send(new s3.ListPartsCommand({ Bucket, Key, UploadId })),
  ],
  [
    'AbortMultipartUpload',
    onObject('s3:AbortMultipartUpload'),
    (client, { UploadId }) => client.send(new s3.AbortMultipartUploadCommand({ Bucket, Key, UploadId })),
  ],
  [
    'CompleteMultipartUpload on an ETag',
    onObject('s3:PutObject', 's3:GetObject'),
    (client, { UploadId, ETag, PartETag }) => {
      const MultipartUpload = { Parts: [{ PartNumber: 1, ETag: PartETag }] };
      return client.send(new s3.CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload, IfMatch: ETag }));
    },
  ],
];

async function prepare(): Promise<Prepared> {
  const { VersionId = '', ETag = '' } = await sandbox.client.send(new s3.PutObjectCommand({ Bucket, Key, Body: 'body' }));
  const { UploadId = '' } = await sandbox.client.send(new s3.CreateMultipartUploadCommand({ Bucket, Key }));
  const part = await sandbox.client.send(new s3.UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: 'part' }));
  return { VersionId, ETag, UploadId, PartETag: part.ETag ?? '' };
}

const allow = ([action, resource]: [string, string]) => ({ Effect: 'Allow', Action: action, Resource: resource });

test.each(ROWS)('%s needs exactly %j', async (name, permissions, send) => {
  const prepared = await prepare();
  for (const missing of permissions) {
    const others = permissions.filter((permission) => permission !== missing);
    const [action, resource] = missing;
    const refused = await refusal(send(sandbox.asRole('tested', ...others.map(allow)), prepared)).catch((error) => {
      throw new Error(`not refused without ${action}`, { cause: error });
    });
    const where = resource === '*' ? '' : ` on resource: "${resource}"`;
    const message = `User: ${ROLE} is not authorized to perform: ${action}${where} because no identity-based policy allows the ${action} action`;
    // HEAD has no body to say it in.
    expect([refused.answer.slice(0, 3), refused.message]).toEqual([
      '403',
      name.startsWith('Head') ? expect.not.stringContaining('User') : message,
    ]);
  }
  await send(sandbox.asRole('tested', ...permissions.map(allow)), prepared);
});

describe('DeleteObjects', () => {
  const remove = (client: s3.S3Client, Objects: s3.ObjectIdentifier[]) =>
    client.send(new s3.DeleteObjectsCommand({ Bucket, Delete: { Objects } }));

  test('judges each object for itself, and refuses in the answer', async () => {
    const { VersionId, ETag } = await prepare();
    const client = sandbox.asRole('tested', ...[allow(['s3:DeleteObject', `${BUCKET_ARN}/folder/*`])]);
    const { Deleted, Errors } = await remove(client, [{ Key: 'other' }, { Key, VersionId }, { Key, ETag }, { Key }]);
    expect(Errors?.map(({ Key: key, VersionId: version, Code, Message }) => [key, version, Code, Message])).toEqual([
      ['other', undefined, 'AccessDenied', expect.stringContaining(`s3:DeleteObject on resource: "${BUCKET_ARN}/other"`)],
      [Key, VersionId, 'AccessDenied', expect.stringContaining(`s3:DeleteObjectVersion on resource: "${OBJECT_ARN}"`)],
      [Key, undefined, 'AccessDenied', expect.stringContaining(`s3:GetObject on resource: "${OBJECT_ARN}"`)],
    ]);
    expect(Deleted?.map(({ Key: key }) => key)).toEqual([Key]);
  });

  test('takes versions with their own right', async () => {
    const { VersionId } = await prepare();
    const { Errors, Deleted } = await remove(sandbox.asRole('tested', allow(['s3:DeleteObjectVersion', OBJECT_ARN])), [{ Key, VersionId }]);
    expect([Errors, Deleted?.length]).toEqual([undefined, 1]);
  });
});

test('a role that is gone may do nothing', async () => {
  const client = sandbox.asRole('gone', allow(['s3:*', '*']));
  await client.send(new s3.ListObjectsV2Command({ Bucket }));
  sandbox.access.deleteRole('gone');
  expect((await refusal(client.send(new s3.ListObjectsV2Command({ Bucket })))).answer).toBe('403 AccessDenied');
});

test('a bucket that is not there is a 404 for whoever asks', async () => {
  const client = sandbox.asRole('tested');
  for (const send of [
    () => client.send(new s3.GetObjectCommand({ Bucket: 'nowhere', Key })),
    () => client.send(new s3.PutObjectCommand({ Bucket: 'nowhere', Key, Body: 'x' })),
    () => client.send(new s3.DeleteObjectsCommand({ Bucket: 'nowhere', Delete: { Objects: [{ Key }] } })),
  ]) {
    expect((await refusal(send())).answer).toBe('404 NoSuchBucket');
  }
});
