/** Empties a bucket and deletes it. */
import {
  AbortMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteBucketPolicyCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  type S3Client,
} from '@aws-sdk/client-s3';

/** A server that lists what it has deleted must not keep us for ever. */
const MOST_PAGES = 20;

/** Removes its policy first, which may deny the rest; then uploads, versions and delete markers. */
export async function removeBucket(s3: S3Client, Bucket: string): Promise<void> {
  await s3.send(new DeleteBucketPolicyCommand({ Bucket }));
  const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket }));
  for (const { Key, UploadId } of Uploads) await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }));
    const found = [...Versions, ...DeleteMarkers];
    if (found.length === 0) break;
    for (const { Key, VersionId } of found) await s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
  }
  await s3.send(new DeleteBucketCommand({ Bucket }));
}
