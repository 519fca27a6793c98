/** Every operation of this S3: how a request names it, its IAM action, what else it takes, and who answers it. */
import { getBucketLocation, handleCreateBucket, handleDeleteBucket, headBucket, listBuckets } from './bucket/bucket-operations.ts';
import {
  deleteBucketPolicy,
  deleteSettingOperation,
  getBucketPolicy,
  getSettingOperation,
  putBucketPolicy,
  putSettingOperation,
} from './bucket/setting-operations.ts';
import { CHECKSUM, COPY_SOURCE, CUSTOMER_KEY, DESCRIPTION, ENCRYPTION, headerFilter } from './headers.ts';
import { listObjects, listObjectsV2 } from './listing/list-objects.ts';
import { listObjectVersions } from './listing/list-versions.ts';
import { completeMultipartUpload } from './multipart/complete-upload.ts';
import { createMultipartUpload } from './multipart/create-upload.ts';
import { uploadPart } from './multipart/upload-part.ts';
import { abortMultipartUpload, listMultipartUploads, listParts } from './multipart/uploads.ts';
import { copyObject } from './object/copy-object.ts';
import { deleteObject, deleteObjects } from './object/delete-object.ts';
import { getObject, headObject, OVERRIDE_PARAMETERS } from './object/get-object.ts';
import { getObjectAttributes } from './object/object-attributes.ts';
import { deleteObjectTagging, getObjectTagging, putObjectTagging } from './object/object-tagging.ts';
import { putObject } from './object/put-object.ts';
import type { Handler } from './room.ts';

export type Level = 'service' | 'bucket' | 'object';

export interface Definition {
  method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  level: Level;
  /** The query parameter that names the operation; empty when method and level do. */
  subresource: string;
  /** Judged by nobody yet: the one place from where policies will be asked. */
  action: string;
  query: string[];
  /** Gives the first `x-amz-` header that the operation does not take. */
  refusedHeader: (headers: object) => string | null;
  handle: Handler;
}

const LIST = ['prefix', 'delimiter', 'encoding-type'];

/** Told apart from PutObject and UploadPart by their `x-amz-copy-source`, not by the address. */
export const OPERATIONS = {
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
  PutObject: described('PUT', '', 's3:PutObject', putObject, [...CHECKSUM]),
  CopyObject: described('PUT', 'x-amz-copy-source', 's3:PutObject', copyObject, [
    ...COPY_SOURCE,
    'x-amz-metadata-directive',
    'x-amz-tagging-directive',
    'x-amz-object-annotation-directive',
    'x-amz-checksum-algorithm',
  ]),
  GetObject: define(
    'GET',
    'object',
    '',
    's3:GetObject',
    getObject,
    ['versionId', 'partNumber', ...OVERRIDE_PARAMETERS],
    ['x-amz-checksum-mode', ...ENCRYPTION, ...CUSTOMER_KEY],
  ),
  HeadObject: define(
    'HEAD',
    'object',
    '',
    's3:GetObject',
    headObject,
    ['versionId', 'partNumber', ...OVERRIDE_PARAMETERS],
    ['x-amz-checksum-mode', ...ENCRYPTION, ...CUSTOMER_KEY],
  ),
  DeleteObject: define('DELETE', 'object', '', 's3:DeleteObject', deleteObject, ['versionId']),
  GetObjectAttributes: define(
    'GET',
    'object',
    'attributes',
    's3:GetObjectAttributes',
    getObjectAttributes,
    ['versionId'],
    ['x-amz-object-attributes', 'x-amz-max-parts', 'x-amz-part-number-marker', ...CUSTOMER_KEY],
  ),
  GetObjectTagging: define('GET', 'object', 'tagging', 's3:GetObjectTagging', getObjectTagging, ['versionId']),
  PutObjectTagging: define('PUT', 'object', 'tagging', 's3:PutObjectTagging', putObjectTagging, ['versionId'], CHECKSUM),
  DeleteObjectTagging: define('DELETE', 'object', 'tagging', 's3:DeleteObjectTagging', deleteObjectTagging, ['versionId']),
  CreateMultipartUpload: described('POST', 'uploads', 's3:PutObject', createMultipartUpload, [
    'x-amz-checksum-algorithm',
    'x-amz-checksum-type',
  ]),
  UploadPart: define(
    'PUT',
    'object',
    'uploadId',
    's3:PutObject',
    uploadPart,
    ['partNumber'],
    [...CHECKSUM, ...ENCRYPTION, ...CUSTOMER_KEY],
  ),
  CompleteMultipartUpload: define(
    'POST',
    'object',
    'uploadId',
    's3:PutObject',
    completeMultipartUpload,
    [],
    [...CHECKSUM, ...CUSTOMER_KEY, 'x-amz-checksum-type', 'x-amz-mp-object-size'],
  ),
  AbortMultipartUpload: define('DELETE', 'object', 'uploadId', 's3:AbortMultipartUpload', abortMultipartUpload),
  ListParts: define(
    'GET',
    'object',
    'uploadId',
    's3:ListMultipartUploadParts',
    listParts,
    ['max-parts', 'part-number-marker', 'encoding-type'],
    [...CUSTOMER_KEY],
  ),
} satisfies Record<string, Definition>;

export type Operation = keyof typeof OPERATIONS;

function define(
  method: Definition['method'],
  level: Level,
  subresource: string,
  action: string,
  handle: Handler,
  query: string[] = [],
  headers: string[] = [],
): Definition {
  return { method, level, subresource, action, handle, query, refusedHeader: headerFilter(headers, false) };
}

function read(level: Level, subresource: string, action: string, handle: Handler, query: string[] = []): Definition {
  return define('GET', level, subresource, action, handle, query, ['x-amz-optional-object-attributes']);
}

function write(level: Level, subresource: string, action: string, handle: Handler): Definition {
  return define('PUT', level, subresource, action, handle, [], CHECKSUM);
}

/** A write that also says what the new object is. */
function described(method: Definition['method'], subresource: string, action: string, handle: Handler, headers: string[]): Definition {
  const taken = [...headers, ...DESCRIPTION, ...ENCRYPTION, ...CUSTOMER_KEY];
  return { method, level: 'object', subresource, action, handle, query: [], refusedHeader: headerFilter(taken, true) };
}
