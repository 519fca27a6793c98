/** What a row of the tables of permissions is. */
import type { S3Client } from '@aws-sdk/client-s3';
import { VERSIONED as Bucket } from './sandbox.ts';

export const Key = 'folder/object';
export const BUCKET_ARN = `arn:aws:s3:::${Bucket}`;
export const OBJECT_ARN = `${BUCKET_ARN}/${Key}`;

/** What the administrator made before each row. */
export interface Prepared {
  administrator: S3Client;
  VersionId: string;
  ETag: string;
  UploadId: string;
  PartETag: string;
}
export type Send = (client: S3Client, prepared: Prepared) => Promise<unknown>;
/** Action and resource. */
export type Permission = [action: string, resource: string];
export type Row = [name: string, permissions: Permission[], send: Send];
