/** Every operation on buckets: how a request names it, its IAM action, what else it takes, and who answers it. */
import { type Definition, define, read, write } from '../definition.ts';
import { CHECKSUM } from '../headers.ts';
import { listObjects, listObjectsV2 } from '../listing/list-objects.ts';
import { listObjectVersions } from '../listing/list-versions.ts';
import { listMultipartUploads } from '../multipart/uploads.ts';
import { deleteObjects } from '../object/delete-object.ts';
import { getBucketLocation, handleCreateBucket, handleDeleteBucket, headBucket, listBuckets } from './buckets.ts';
import {
  deleteBucketPolicy,
  deleteSettingOperation,
  getBucketPolicy,
  getSettingOperation,
  putBucketPolicy,
  putSettingOperation,
} from './setting-operations.ts';

const LIST = ['prefix', 'delimiter', 'encoding-type'];

export type BucketOperation =
  | 'ListBuckets'
  | 'CreateBucket'
  | 'HeadBucket'
  | 'DeleteBucket'
  | 'GetBucketLocation'
  | 'GetBucketVersioning'
  | 'PutBucketVersioning'
  | 'GetBucketEncryption'
  | 'PutBucketEncryption'
  | 'DeleteBucketEncryption'
  | 'GetBucketNotificationConfiguration'
  | 'PutBucketNotificationConfiguration'
  | 'GetPublicAccessBlock'
  | 'PutPublicAccessBlock'
  | 'DeletePublicAccessBlock'
  | 'GetBucketOwnershipControls'
  | 'PutBucketOwnershipControls'
  | 'GetBucketPolicy'
  | 'PutBucketPolicy'
  | 'DeleteBucketPolicy'
  | 'GetBucketLifecycleConfiguration'
  | 'PutBucketLifecycleConfiguration'
  | 'DeleteBucketLifecycle'
  | 'GetBucketTagging'
  | 'PutBucketTagging'
  | 'DeleteBucketTagging'
  | 'GetObjectLockConfiguration'
  | 'PutObjectLockConfiguration'
  | 'ListObjects'
  | 'ListObjectsV2'
  | 'ListObjectVersions'
  | 'ListMultipartUploads'
  | 'DeleteObjects';

export const BUCKET_OPERATIONS: Record<BucketOperation, Definition> = {
  ListBuckets: read('service', '', 's3:ListAllMyBuckets', listBuckets, ['prefix', 'continuation-token', 'max-buckets', 'bucket-region']),
  CreateBucket: define('PUT', 'bucket', '', 's3:CreateBucket', handleCreateBucket, [], ['x-amz-bucket-object-lock-enabled']),
  HeadBucket: define('HEAD', 'bucket', '', 's3:ListBucket', headBucket),
  DeleteBucket: define('DELETE', 'bucket', '', 's3:DeleteBucket', handleDeleteBucket),
  GetBucketLocation: read('bucket', 'location', 's3:GetBucketLocation', getBucketLocation),
  GetBucketVersioning: read('bucket', 'versioning', 's3:GetBucketVersioning', getSettingOperation('versioning')),
  PutBucketVersioning: write('bucket', 'versioning', 's3:PutBucketVersioning', putSettingOperation('versioning')),
  GetBucketEncryption: read('bucket', 'encryption', 's3:GetEncryptionConfiguration', getSettingOperation('encryption')),
  PutBucketEncryption: write('bucket', 'encryption', 's3:PutEncryptionConfiguration', putSettingOperation('encryption')),
  DeleteBucketEncryption: define('DELETE', 'bucket', 'encryption', 's3:PutEncryptionConfiguration', deleteSettingOperation('encryption')),
  GetBucketNotificationConfiguration: read('bucket', 'notification', 's3:GetBucketNotification', getSettingOperation('notification')),
  PutBucketNotificationConfiguration: write('bucket', 'notification', 's3:PutBucketNotification', putSettingOperation('notification')),
  GetPublicAccessBlock: read('bucket', 'publicAccessBlock', 's3:GetBucketPublicAccessBlock', getSettingOperation('publicAccessBlock')),
  PutPublicAccessBlock: write('bucket', 'publicAccessBlock', 's3:PutBucketPublicAccessBlock', putSettingOperation('publicAccessBlock')),
  DeletePublicAccessBlock: define(
    'DELETE',
    'bucket',
    'publicAccessBlock',
    's3:PutBucketPublicAccessBlock',
    deleteSettingOperation('publicAccessBlock'),
  ),
  GetBucketOwnershipControls: read(
    'bucket',
    'ownershipControls',
    's3:GetBucketOwnershipControls',
    getSettingOperation('ownershipControls'),
  ),
  PutBucketOwnershipControls: write(
    'bucket',
    'ownershipControls',
    's3:PutBucketOwnershipControls',
    putSettingOperation('ownershipControls'),
  ),
  GetBucketPolicy: read('bucket', 'policy', 's3:GetBucketPolicy', getBucketPolicy),
  PutBucketPolicy: write('bucket', 'policy', 's3:PutBucketPolicy', putBucketPolicy),
  DeleteBucketPolicy: define('DELETE', 'bucket', 'policy', 's3:DeleteBucketPolicy', deleteBucketPolicy),
  GetBucketLifecycleConfiguration: read('bucket', 'lifecycle', 's3:GetLifecycleConfiguration', getSettingOperation('lifecycle')),
  PutBucketLifecycleConfiguration: write('bucket', 'lifecycle', 's3:PutLifecycleConfiguration', putSettingOperation('lifecycle')),
  DeleteBucketLifecycle: define('DELETE', 'bucket', 'lifecycle', 's3:PutLifecycleConfiguration', deleteSettingOperation('lifecycle')),
  GetBucketTagging: read('bucket', 'tagging', 's3:GetBucketTagging', getSettingOperation('tagging')),
  PutBucketTagging: write('bucket', 'tagging', 's3:PutBucketTagging', putSettingOperation('tagging')),
  DeleteBucketTagging: define('DELETE', 'bucket', 'tagging', 's3:PutBucketTagging', deleteSettingOperation('tagging')),
  GetObjectLockConfiguration: read('bucket', 'object-lock', 's3:GetBucketObjectLockConfiguration', getSettingOperation('objectLock')),
  PutObjectLockConfiguration: write('bucket', 'object-lock', 's3:PutBucketObjectLockConfiguration', putSettingOperation('objectLock')),
  ListObjects: read('bucket', '', 's3:ListBucket', listObjects, [...LIST, 'marker', 'max-keys']),
  ListObjectsV2: read('bucket', 'list-type', 's3:ListBucket', listObjectsV2, [
    ...LIST,
    'start-after',
    'continuation-token',
    'max-keys',
    'fetch-owner',
  ]),
  ListObjectVersions: read('bucket', 'versions', 's3:ListBucketVersions', listObjectVersions, [
    ...LIST,
    'key-marker',
    'version-id-marker',
    'max-keys',
  ]),
  ListMultipartUploads: read('bucket', 'uploads', 's3:ListBucketMultipartUploads', listMultipartUploads, [
    ...LIST,
    'key-marker',
    'upload-id-marker',
    'max-uploads',
  ]),
  DeleteObjects: define('POST', 'bucket', 'delete', 's3:DeleteObject', deleteObjects, [], CHECKSUM),
};
