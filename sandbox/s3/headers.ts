/** Which `x-amz-` headers the operations take. What is not here is answered with 501, never ignored. */

/** Taken by the wire before, or without meaning here. */
const EVERYWHERE = [
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-decoded-content-length',
  'x-amz-expected-bucket-owner',
  'x-amz-request-payer',
  'x-amz-security-token',
  'x-amz-te',
  'x-amz-trailer',
  'x-amz-user-agent',
];

export const ENCRYPTION = [
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-bucket-key-enabled',
  'x-amz-server-side-encryption-context',
];
export const CUSTOMER_KEY = ['algorithm', 'key', 'key-md5'].map((name) => `x-amz-server-side-encryption-customer-${name}`);
export const COPY_SOURCE = [
  'x-amz-copy-source',
  ...['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'].map((name) => `x-amz-copy-source-${name}`),
  ...['algorithm', 'key', 'key-md5'].map((name) => `x-amz-copy-source-server-side-encryption-customer-${name}`),
  'x-amz-source-expected-bucket-owner',
];
/** Refused with a message of their own where they are malformed or of an algorithm that the sandbox lacks. */
export const CHECKSUM = [
  'x-amz-sdk-checksum-algorithm',
  ...['crc32', 'crc32c', 'crc64nvme', 'sha1', 'sha256', 'sha512', 'md5', 'xxhash64', 'xxhash3', 'xxhash128'].map(
    (name) => `x-amz-checksum-${name}`,
  ),
];
export const DESCRIPTION = ['x-amz-acl', 'x-amz-storage-class', 'x-amz-tagging', 'x-amz-website-redirect-location'];

const USER_METADATA = 'x-amz-meta-';

/** Judges the headers of one operation: gives the first that it does not take, or `null`. */
export function headerFilter(taken: string[], takesMetadata: boolean): (names: object) => string | null {
  const known = new Set([...EVERYWHERE, ...taken]);
  return (headers) => {
    for (const name in headers) {
      if (!name.startsWith('x-amz-') || known.has(name)) continue;
      if (takesMetadata && name.startsWith(USER_METADATA)) continue;
      return name;
    }
    return null;
  };
}
