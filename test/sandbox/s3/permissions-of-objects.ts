/** Every operation on objects with the permissions that AWS's page lists for it, and a call that needs them all. */
import * as s3 from '@aws-sdk/client-s3';
import { BUCKET_ARN, Key, OBJECT_ARN, type Permission, type Row } from './permissions-row.ts';
import { VERSIONED as Bucket } from './sandbox.ts';

const TARGET_ARN = `${BUCKET_ARN}/target`;
const onObject = (...actions: string[]): Permission[] => actions.map((action) => [action, OBJECT_ARN]);
const TagSet = [{ Key: 'a', Value: 'b' }];
const source = (version?: string) => `${Bucket}/${Key}${version === undefined ? '' : `?versionId=${version}`}`;

export const OBJECT_ROWS: Row[] = [
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
      ...['s3:PutObject', 's3:GetObject', 's3:PutObjectAnnotation'].map((action): Permission => [action, TARGET_ARN]),
    ],
    async (client, { VersionId, administrator }) => {
      const { ETag } = await administrator.send(new s3.HeadObjectCommand({ Bucket, Key: 'target' }));
      const copy = { Bucket, Key: 'target', CopySource: source(VersionId), IfMatch: ETag, AnnotationDirective: 'COPY' as const };
      return client.send(new s3.CopyObjectCommand(copy));
    },
  ],
  [
    'CopyObject of a tagged version',
    [...onObject('s3:GetObjectVersion', 's3:GetObjectVersionTagging'), ['s3:PutObject', TARGET_ARN], ['s3:PutObjectTagging', TARGET_ARN]],
    async (client, { administrator }) => {
      const { VersionId } = await administrator.send(new s3.PutObjectCommand({ Bucket, Key, Body: 'x', Tagging: 'a=b' }));
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
    'UploadPartCopy',
    [...onObject('s3:GetObject'), ['s3:PutObject', TARGET_ARN]],
    (client, { administrator }) => copyPart(client, administrator, source()),
  ],
  [
    'UploadPartCopy of a version',
    [...onObject('s3:GetObjectVersion'), ['s3:PutObject', TARGET_ARN]],
    (client, { administrator, VersionId }) => copyPart(client, administrator, source(VersionId)),
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

async function copyPart(client: s3.S3Client, administrator: s3.S3Client, CopySource: string): Promise<unknown> {
  const { UploadId } = await administrator.send(new s3.CreateMultipartUploadCommand({ Bucket, Key: 'target' }));
  return client.send(new s3.UploadPartCopyCommand({ Bucket, Key: 'target', UploadId, PartNumber: 1, CopySource }));
}
