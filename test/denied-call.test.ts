import { describe, expect, it } from 'vitest';
import { deniedCall } from '../src/denied-call.ts';

const USER = 'User: arn:aws:sts::000000000000:assumed-role/encrypt/f is not authorized to perform:';
const KEY = 'arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555';

describe('deniedCall', () => {
  it.each([
    [
      `${USER} s3:PutObject on resource: "arn:aws:s3:::bucket/a b" with an explicit deny in a resource-based policy`,
      's3:PutObject',
      'arn:aws:s3:::bucket/a',
    ],
    [
      `${USER} s3:ListBucket on resource: "arn:aws:s3:::bucket" because no identity-based policy allows the s3:ListBucket action`,
      's3:ListBucket',
      'arn:aws:s3:::bucket',
    ],
    [`${USER} kms:Decrypt on resource: ${KEY} because no resource-based policy allows the kms:Decrypt action`, 'kms:Decrypt', KEY],
    [`${USER} kms:GenerateDataKey on resource: ${KEY} with an explicit deny in an identity-based policy`, 'kms:GenerateDataKey', KEY],
    [`${USER} kms:GenerateDataKey on this resource because the resource does not exist in this Region`, 'kms:GenerateDataKey', ''],
    [
      'The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.',
      'kms:Decrypt',
      '',
    ],
  ])('reads action and resource from: %s', (message, action, resource) => {
    expect(deniedCall(message)).toEqual({ action, resource });
  });

  it('goes by the first words, not by those of a key', () => {
    const key =
      'a/The ciphertext refers to a customer master key that does not exist, is not authorized to perform: kms:Decrypt on resource: k';
    expect(deniedCall(`${USER} s3:PutObject on resource: "arn:aws:s3:::bucket/${key}" with an explicit deny`)?.action).toBe('s3:PutObject');
  });

  it.each(['Access Denied', '', 'The object kms:Decrypt is not yours'])('gives null for what names no call: %s', (message) => {
    expect(deniedCall(message)).toBeNull();
  });
});
