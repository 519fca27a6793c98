/** Every operation on objects: how a request names it, its IAM action, what else it takes, and who answers it. */
import { type Definition, define, described } from '../definition.ts';
import { CHECKSUM, COPY_SOURCE, CUSTOMER_KEY, ENCRYPTION } from '../headers.ts';
import { completeMultipartUpload } from '../multipart/complete-upload.ts';
import { createMultipartUpload } from '../multipart/create-upload.ts';
import { uploadPart } from '../multipart/upload-part.ts';
import { abortMultipartUpload, listParts } from '../multipart/uploads.ts';
import { copyObject } from './copy-object.ts';
import { deleteObject } from './delete-object.ts';
import { getObject, headObject, OVERRIDE_PARAMETERS } from './get-object.ts';
import { getObjectAttributes } from './object-attributes.ts';
import { deleteObjectTagging, getObjectTagging, putObjectTagging } from './object-tagging.ts';
import { putObject } from './put-object.ts';

export type ObjectOperation =
  | 'PutObject'
  | 'CopyObject'
  | 'GetObject'
  | 'HeadObject'
  | 'DeleteObject'
  | 'GetObjectAttributes'
  | 'GetObjectTagging'
  | 'PutObjectTagging'
  | 'DeleteObjectTagging'
  | 'CreateMultipartUpload'
  | 'UploadPart'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload'
  | 'ListParts';

export const OBJECT_OPERATIONS: Record<ObjectOperation, Definition> = {
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
};
