/** Listings that the SDK does not page through by itself. */
import {
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3';

interface Where {
  Bucket: string;
  Prefix: string;
}

export async function* paginateListObjectVersions(s3: S3Client, bucket: Where): AsyncGenerator<ListObjectVersionsCommandOutput> {
  let page: ListObjectVersionsCommandOutput | undefined;
  do {
    page = await s3.send(
      new ListObjectVersionsCommand({ ...bucket, KeyMarker: page?.NextKeyMarker, VersionIdMarker: page?.NextVersionIdMarker }),
    );
    yield page;
  } while (page.IsTruncated);
}

export async function* paginateListMultipartUploads(s3: S3Client, bucket: Where): AsyncGenerator<ListMultipartUploadsCommandOutput> {
  let page: ListMultipartUploadsCommandOutput | undefined;
  do {
    page = await s3.send(
      new ListMultipartUploadsCommand({ ...bucket, KeyMarker: page?.NextKeyMarker, UploadIdMarker: page?.NextUploadIdMarker }),
    );
    yield page;
  } while (page.IsTruncated);
}
