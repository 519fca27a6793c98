/**
 * What a caller must be allowed for each operation, as AWS's page has it.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { WireRequest } from '../../service.ts';
import { parseCopySource } from '../object/copy-source-header.ts';
import type { Operation } from '../operations.ts';

/** One action on one resource; an empty key is the bucket, an empty bucket everything. */
export interface Permission {
  action: string;
  bucket: string;
  key: string;
}

type ResourceType = 'account' | 'bucket' | 'object' | 'source';

interface Requirement {
  on: ResourceType;
  action: string;
  /** Instead of `action` when the request names a version. */
  versionAction: string;
  /** Asked only then. */
  when: (headers: IncomingHttpHeaders) => boolean;
}

const always = () => true;

const account = (action: string): Requirement => ({ on: 'account', action, versionAction: action, when: always });
const bucket = (action: string): Requirement => ({ on: 'bucket', action, versionAction: action, when: always });
const object = (action: string, versionAction = action): Requirement => ({ on: 'object', action, versionAction, when: always });
const source = (action: string, versionAction: string): Requirement => ({ on: 'source', action, versionAction, when: always });

const withHeader = (name: string, requirement: Requirement): Requirement => ({
  ...requirement,
  when: (headers) => headers[name] !== undefined,
});

/** An ETag tells of the object: who compares one must be able to read it. @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html */
const IF_MATCH = withHeader('if-match', object('s3:GetObject'));
const TAGGING = withHeader('x-amz-tagging', object('s3:PutObjectTagging'));
const ACL = withHeader('x-amz-acl', object('s3:PutObjectAcl'));
/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html where `*` compares nothing */
const DELETE_IF_MATCH: Requirement = {
  ...object('s3:GetObject'),
  when: (headers) => headers['if-match'] !== undefined && headers['if-match'] !== '*',
};
/** Annotations are copied unless the request says otherwise. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
const copiesAnnotations = (headers: IncomingHttpHeaders) => headers['x-amz-object-annotation-directive'] === 'COPY';
const createsLock = (headers: IncomingHttpHeaders) => headers['x-amz-bucket-object-lock-enabled'] === 'true';

export const PERMISSIONS: Record<Operation, readonly Requirement[]> = {
  // The account
  ListBuckets: [account('s3:ListAllMyBuckets')],

  // Buckets
  CreateBucket: [
    bucket('s3:CreateBucket'),
    { ...bucket('s3:PutBucketObjectLockConfiguration'), when: createsLock },
    { ...bucket('s3:PutBucketVersioning'), when: createsLock },
  ],
  HeadBucket: [bucket('s3:ListBucket')],
  DeleteBucket: [bucket('s3:DeleteBucket')],
  GetBucketLocation: [bucket('s3:GetBucketLocation')],
  GetBucketVersioning: [bucket('s3:GetBucketVersioning')],
  PutBucketVersioning: [bucket('s3:PutBucketVersioning')],
  GetBucketEncryption: [bucket('s3:GetEncryptionConfiguration')],
  PutBucketEncryption: [bucket('s3:PutEncryptionConfiguration')],
  DeleteBucketEncryption: [bucket('s3:PutEncryptionConfiguration')],
  GetBucketNotificationConfiguration: [bucket('s3:GetBucketNotification')],
  PutBucketNotificationConfiguration: [bucket('s3:PutBucketNotification')],
  GetPublicAccessBlock: [bucket('s3:GetBucketPublicAccessBlock')],
  PutPublicAccessBlock: [bucket('s3:PutBucketPublicAccessBlock')],
  DeletePublicAccessBlock: [bucket('s3:PutBucketPublicAccessBlock')],
  GetBucketOwnershipControls: [bucket('s3:GetBucketOwnershipControls')],
  PutBucketOwnershipControls: [bucket('s3:PutBucketOwnershipControls')],
  GetBucketPolicy: [bucket('s3:GetBucketPolicy')],
  PutBucketPolicy: [bucket('s3:PutBucketPolicy')],
  DeleteBucketPolicy: [bucket('s3:DeleteBucketPolicy')],
  GetBucketLifecycleConfiguration: [bucket('s3:GetLifecycleConfiguration')],
  PutBucketLifecycleConfiguration: [bucket('s3:PutLifecycleConfiguration')],
  DeleteBucketLifecycle: [bucket('s3:PutLifecycleConfiguration')],
  GetBucketTagging: [bucket('s3:GetBucketTagging')],
  PutBucketTagging: [bucket('s3:PutBucketTagging')],
  DeleteBucketTagging: [bucket('s3:PutBucketTagging')],
  GetObjectLockConfiguration: [bucket('s3:GetBucketObjectLockConfiguration')],
  PutObjectLockConfiguration: [bucket('s3:PutBucketObjectLockConfiguration')],
  ListObjects: [bucket('s3:ListBucket')],
  ListObjectsV2: [bucket('s3:ListBucket')],
  ListObjectVersions: [bucket('s3:ListBucketVersions')],
  ListMultipartUploads: [bucket('s3:ListBucketMultipartUploads')],

  // Objects
  GetObject: [object('s3:GetObject', 's3:GetObjectVersion')],
  HeadObject: [object('s3:GetObject', 's3:GetObjectVersion')],
  GetObjectAttributes: [object('s3:GetObject', 's3:GetObjectVersion'), object('s3:GetObjectAttributes', 's3:GetObjectVersionAttributes')],
  GetObjectTagging: [object('s3:GetObjectTagging', 's3:GetObjectVersionTagging')],
  PutObjectTagging: [object('s3:PutObjectTagging', 's3:PutObjectVersionTagging')],
  DeleteObjectTagging: [object('s3:DeleteObjectTagging', 's3:DeleteObjectVersionTagging')],
  PutObject: [object('s3:PutObject'), TAGGING, ACL, IF_MATCH],
  /** Rights to copied tags are asked for once it is known that there are any. */
  CopyObject: [
    source('s3:GetObject', 's3:GetObjectVersion'),
    object('s3:PutObject'),
    TAGGING,
    ACL,
    IF_MATCH,
    { ...source('s3:GetObjectAnnotation', 's3:GetObjectAnnotation'), when: copiesAnnotations },
    { ...object('s3:PutObjectAnnotation'), when: copiesAnnotations },
  ],
  /** A version takes the second alone; DeleteObject's own page can be read as if it took both (unverified). */
  DeleteObject: [object('s3:DeleteObject', 's3:DeleteObjectVersion'), DELETE_IF_MATCH],
  /** Each object for itself: a refusal is an entry of the answer. */
  DeleteObjects: [],

  // Multipart uploads
  CreateMultipartUpload: [object('s3:PutObject'), TAGGING, ACL],
  UploadPart: [object('s3:PutObject')],
  UploadPartCopy: [source('s3:GetObject', 's3:GetObjectVersion'), object('s3:PutObject')],
  CompleteMultipartUpload: [object('s3:PutObject'), IF_MATCH],
  AbortMultipartUpload: [object('s3:AbortMultipartUpload')],
  ListParts: [object('s3:ListMultipartUploadParts')],
};

export interface AskedPermission extends Permission {
  /** Of a copy: what the request says of its own target does not speak of it. */
  source: { versionId: string | null } | null;
}

/** Throws AwsError when the request's copy source is none. */
export function permissionsOf(
  operation: Operation,
  { headers, query }: WireRequest,
  target: { bucket: string; key: string },
): AskedPermission[] {
  const { bucket, key } = target;
  const asked: AskedPermission[] = [];
  for (const { on, action, versionAction, when } of PERMISSIONS[operation]) {
    if (!when(headers)) continue;
    switch (on) {
      case 'account':
        asked.push({ action, bucket: '', key: '', source: null });
        break;
      case 'bucket':
        asked.push({ action, bucket, key: '', source: null });
        break;
      case 'object':
        asked.push({ action: query.get('versionId') === null ? action : versionAction, bucket, key, source: null });
        break;
      case 'source': {
        const { bucketName, key, versionId } = parseCopySource(String(headers['x-amz-copy-source']));
        asked.push({ action: versionId === null ? action : versionAction, bucket: bucketName, key, source: { versionId } });
        break;
      }
      default:
        on satisfies never;
    }
  }
  return asked;
}

/** The actions that this sandbox asks for, by the type of resource that they apply to (once or more). */
export function actionsOn(type: 'bucket' | 'object'): string[] {
  const types: ResourceType[] = type === 'bucket' ? ['bucket'] : ['object', 'source'];
  const requirements = Object.values(PERMISSIONS).flat();
  return requirements.filter(({ on }) => types.includes(on)).flatMap(({ action, versionAction }) => [action, versionAction]);
}
