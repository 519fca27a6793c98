/** Every operation on buckets: how a request names it, what else it takes, and who answers it. */
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
  ListBuckets: read('service', '', listBuckets, ['prefix', 'continuation-token', 'max-buckets', 'bucket-region']),
  CreateBucket: define('PUT', 'bucket', '', handleCreateBucket, [], ['x-amz-bucket-object-lock-enabled']),
  HeadBucket: define('HEAD', 'bucket', '', headBucket),
  DeleteBucket: define('DELETE', 'bucket', '', handleDeleteBucket),
  GetBucketLocation: read('bucket', 'location', getBucketLocation),
  GetBucketVersioning: read('bucket', 'versioning', getSettingOperation('versioning')),
  PutBucketVersioning: write('bucket', 'versioning', putSettingOperation('versioning')),
  GetBucketEncryption: read('bucket', 'encryption', getSettingOperation('encryption')),
  PutBucketEncryption: write('bucket', 'encryption', putSettingOperation('encryption')),
  DeleteBucketEncryption: define('DELETE', 'bucket', 'encryption', deleteSettingOperation('encryption')),
  GetBucketNotificationConfiguration: read('bucket', 'notification', getSettingOperation('notification')),
  PutBucketNotificationConfiguration: write('bucket', 'notification', putSettingOperation('notification')),
  GetPublicAccessBlock: read('bucket', 'publicAccessBlock', getSettingOperation('publicAccessBlock')),
  PutPublicAccessBlock: write('bucket', 'publicAccessBlock', putSettingOperation('publicAccessBlock')),
  DeletePublicAccessBlock: define('DELETE', 'bucket', 'publicAccessBlock', deleteSettingOperation('publicAccessBlock')),
  GetBucketOwnershipControls: read('bucket', 'ownershipControls', getSettingOperation('ownershipControls')),
  PutBucketOwnershipControls: write('bucket', 'ownershipControls', putSettingOperation('ownershipControls')),
  GetBucketPolicy: read('bucket', 'policy', getBucketPolicy),
  PutBucketPolicy: write('bucket', 'policy', putBucketPolicy),
  DeleteBucketPolicy: define('DELETE', 'bucket', 'policy', deleteBucketPolicy),
  GetBucketLifecycleConfiguration: read('bucket', 'lifecycle', getSettingOperation('lifecycle')),
  PutBucketLifecycleConfiguration: write('bucket', 'lifecycle', putSettingOperation('lifecycle')),
  DeleteBucketLifecycle: define('DELETE', 'bucket', 'lifecycle', deleteSettingOperation('lifecycle')),
  GetBucketTagging: read('bucket', 'tagging', getSettingOperation('tagging')),
  PutBucketTagging: write('bucket', 'tagging', putSettingOperation('tagging')),
  DeleteBucketTagging: define('DELETE', 'bucket', 'tagging', deleteSettingOperation('tagging')),
  GetObjectLockConfiguration: read('bucket', 'object-lock', getSettingOperation('objectLock')),
  PutObjectLockConfiguration: write('bucket', 'object-lock', putSettingOperation('objectLock')),
  ListObjects: read('bucket', '', listObjects, [...LIST, 'marker', 'max-keys']),
  ListObjectsV2: read('bucket', 'list-type', listObjectsV2, [...LIST, 'start-after', 'continuation-token', 'max-keys', 'fetch-owner']),
  ListObjectVersions: read('bucket', 'versions', listObjectVersions, [...LIST, 'key-marker', 'version-id-marker', 'max-keys']),
  ListMultipartUploads: read('bucket', 'uploads', listMultipartUploads, [...LIST, 'key-marker', 'upload-id-marker', 'max-uploads']),
  DeleteObjects: define('POST', 'bucket', 'delete', deleteObjects, [], CHECKSUM),
};
