/** Every operation on objects: how a request names it, what else it takes, and who answers it. */
import { COPY, type Definition, define, described, PART_COPY } from '../definition.ts';
import { CHECKSUM, COPY_SOURCE, CUSTOMER_KEY, ENCRYPTION } from '../headers.ts';
import { completeMultipartUpload } from '../multipart/complete-upload.ts';
import { createMultipartUpload } from '../multipart/create-upload.ts';
import { uploadPart } from '../multipart/upload-part.ts';
import { uploadPartCopy } from '../multipart/upload-part-copy.ts';
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
  | 'UploadPartCopy'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload'
  | 'ListParts';

export const OBJECT_OPERATIONS: Record<ObjectOperation, Definition> = {
  PutObject: described('PUT', '', putObject, [...CHECKSUM]),
  CopyObject: described('PUT', COPY, copyObject, [
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
    getObject,
    ['versionId', 'partNumber', ...OVERRIDE_PARAMETERS],
    ['x-amz-checksum-mode', ...ENCRYPTION, ...CUSTOMER_KEY],
  ),
  HeadObject: define(
    'HEAD',
    'object',
    '',
    headObject,
    ['versionId', 'partNumber', ...OVERRIDE_PARAMETERS],
    ['x-amz-checksum-mode', ...ENCRYPTION, ...CUSTOMER_KEY],
  ),
  DeleteObject: define('DELETE', 'object', '', deleteObject, ['versionId']),
  GetObjectAttributes: define(
    'GET',
    'object',
    'attributes',
    getObjectAttributes,
    ['versionId'],
    ['x-amz-object-attributes', 'x-amz-max-parts', 'x-amz-part-number-marker', ...CUSTOMER_KEY],
  ),
  GetObjectTagging: define('GET', 'object', 'tagging', getObjectTagging, ['versionId']),
  PutObjectTagging: define('PUT', 'object', 'tagging', putObjectTagging, ['versionId'], CHECKSUM),
  DeleteObjectTagging: define('DELETE', 'object', 'tagging', deleteObjectTagging, ['versionId']),
  CreateMultipartUpload: described('POST', 'uploads', createMultipartUpload, ['x-amz-checksum-algorithm', 'x-amz-checksum-type']),
  UploadPart: define('PUT', 'object', 'uploadId', uploadPart, ['partNumber'], [...CHECKSUM, ...ENCRYPTION, ...CUSTOMER_KEY]),
  UploadPartCopy: define(
    'PUT',
    'object',
    PART_COPY,
    uploadPartCopy,
    ['partNumber'],
    [...COPY_SOURCE, 'x-amz-copy-source-range', ...ENCRYPTION, ...CUSTOMER_KEY],
  ),
  CompleteMultipartUpload: define(
    'POST',
    'object',
    'uploadId',
    completeMultipartUpload,
    [],
    [...CHECKSUM, ...CUSTOMER_KEY, 'x-amz-checksum-type', 'x-amz-mp-object-size'],
  ),
  AbortMultipartUpload: define('DELETE', 'object', 'uploadId', abortMultipartUpload),
  ListParts: define('GET', 'object', 'uploadId', listParts, ['max-parts', 'part-number-marker', 'encoding-type'], [...CUSTOMER_KEY]),
};
