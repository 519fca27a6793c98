/** The encryption headers of answers. */
import type { CustomerKey, Sealed } from './mode.ts';

/**
 * What Put, Copy, UploadPart, Get and Head say of an object's encryption; the bucket key only when it was used.
 * @param customerKey the request's, whose MD5 S3 gives back; without it (CompleteMultipartUpload) nothing is said of SSE-C
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html#API_GetObject_ResponseSyntax
 */
export function encryptionHeaders(sealed: Sealed, customerKey: CustomerKey | null): Record<string, string> {
  switch (sealed.mode) {
    case 'sse-s3':
      return { 'x-amz-server-side-encryption': 'AES256' };
    case 'sse-kms': {
      const headers: Record<string, string> = {
        'x-amz-server-side-encryption': 'aws:kms',
        'x-amz-server-side-encryption-aws-kms-key-id': sealed.keyArn,
      };
      if (sealed.bucketKey !== null) headers['x-amz-server-side-encryption-bucket-key-enabled'] = 'true';
      return headers;
    }
    case 'dsse-kms':
      return { 'x-amz-server-side-encryption': 'aws:kms:dsse', 'x-amz-server-side-encryption-aws-kms-key-id': sealed.keyArn };
    case 'sse-c':
      return customerKey
        ? {
            'x-amz-server-side-encryption-customer-algorithm': 'AES256',
            'x-amz-server-side-encryption-customer-key-MD5': customerKey.md5,
          }
        : {};
    default:
      return sealed satisfies never;
  }
}

/** As above, with the caller's encryption context, which only the answers of Put, Copy and CreateMultipartUpload repeat. */
export function newEncryptionHeaders(sealed: Sealed, customerKey: CustomerKey | null): Record<string, string> {
  const headers = encryptionHeaders(sealed, customerKey);
  if ('context' in sealed && Object.keys(sealed.context).length > 0) {
    headers['x-amz-server-side-encryption-context'] = Buffer.from(JSON.stringify(sealed.context)).toString('base64');
  }
  return headers;
}
