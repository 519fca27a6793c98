import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  describeEncryption,
  differences,
  type EncryptionAnswer,
  keyParameters,
  type ResolvedEncryption,
  secretKey,
  writeParameters,
} from '../../src/encryption/index.ts';
import { ENCRYPTIONS, KEY_BASE64, KEY_MATERIAL, KEY_MD5, KEY_VERSION, MANAGED_KEY, MODES, STACK_KEY } from '../fixtures/objects.ts';

/** What S3 says when it did as asked. */
const HONEST = {
  'sse-s3': { ServerSideEncryption: 'AES256' },
  'sse-kms': { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: STACK_KEY, BucketKeyEnabled: true },
  'dsse-kms': { ServerSideEncryption: 'aws:kms:dsse', SSEKMSKeyId: STACK_KEY },
  'sse-c': { SSECustomerAlgorithm: 'AES256', SSECustomerKeyMD5: KEY_MD5 },
};

const WRONG = {
  ServerSideEncryption: 'aws:kms:other',
  SSEKMSKeyId: MANAGED_KEY,
  BucketKeyEnabled: true,
  SSECustomerAlgorithm: 'AES128',
  SSECustomerKeyMD5: 'AAAAAAAAAAAAAAAAAAAAAA==',
};

const everyMember = MODES.flatMap((mode) => Object.keys(HONEST[mode]).map((member) => [mode, member] as const));
const foreignMembers = MODES.flatMap((mode) =>
  Object.entries(WRONG)
    .filter(([member]) => !(member in HONEST[mode]))
    .map(([member, value]) => [mode, member, value] as const),
);

describe('differences', () => {
  it.each(MODES)('finds none when S3 did as asked for %s', (mode) => {
    expect(differences(ENCRYPTIONS[mode], HONEST[mode])).toEqual([]);
  });

  it.each(everyMember)('%s: finds a missing %s', (mode, member) => {
    expect(differences(ENCRYPTIONS[mode], { ...HONEST[mode], [member]: undefined })).toEqual([
      expect.stringMatching(`^${member}: .*the answer says (none|false)`),
    ]);
  });

  it.each(everyMember)('%s: takes silence about %s where an answer may leave it out, and nothing else', (mode, member) => {
    const unsaid = [member as keyof EncryptionAnswer];
    expect(differences(ENCRYPTIONS[mode], { ...HONEST[mode], [member]: undefined }, unsaid)).toEqual([]);
    const wrong = member === 'BucketKeyEnabled' ? false : 'other';
    expect(differences(ENCRYPTIONS[mode], { ...HONEST[mode], [member]: wrong }, unsaid)).toHaveLength(1);
    expect(differences(ENCRYPTIONS[mode], {}, unsaid)).toHaveLength(Object.keys(HONEST[mode]).length - 1);
  });

  it.each(everyMember)('%s: finds a wrong %s', (mode, member) => {
    const wrong = member === 'BucketKeyEnabled' ? false : Reflect.get(WRONG, member);
    const found = differences(ENCRYPTIONS[mode], { ...HONEST[mode], [member]: wrong });
    const told = member === 'SSECustomerKeyMD5' ? 'not that of the key' : `the answer says ${String(wrong)}`;
    expect(found).toEqual([expect.stringMatching(`^${member}: .*${told}`)]);
  });

  it('never shows the digest of a customer key', () => {
    for (const SSECustomerKeyMD5 of [undefined, WRONG.SSECustomerKeyMD5]) {
      const said = differences(ENCRYPTIONS['sse-c'], { ...HONEST['sse-c'], SSECustomerKeyMD5 }).join();
      expect(said).not.toContain(KEY_MD5);
      expect(said).not.toContain(WRONG.SSECustomerKeyMD5);
    }
  });

  it.each(foreignMembers)('%s: finds a %s that nobody asked for', (mode, member, value) => {
    expect(differences(ENCRYPTIONS[mode], { ...HONEST[mode], [member]: value })).toHaveLength(1);
  });

  it.each(MODES)('takes silence for plaintext, not for %s', (mode) => {
    expect(differences(ENCRYPTIONS[mode], {})).toHaveLength(Object.keys(HONEST[mode]).length);
  });

  it.each([undefined, false])('takes a Bucket Key that is %s in the answer for off', (BucketKeyEnabled) => {
    const asked: ResolvedEncryption = { mode: 'sse-kms', keyArn: STACK_KEY, bucketKey: false };
    expect(differences(asked, { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: STACK_KEY, BucketKeyEnabled })).toEqual([]);
  });

  it('does not take an alias for the key ARN', () => {
    expect(differences(ENCRYPTIONS['sse-kms'], { ...HONEST['sse-kms'], SSEKMSKeyId: 'alias/sealdrop' })).toHaveLength(1);
  });
});

describe('writeParameters', () => {
  it.each([
    [
      { mode: 'sse-kms', bucketKey: true },
      { ServerSideEncryption: 'aws:kms', BucketKeyEnabled: true },
    ],
    [{ mode: 'dsse-kms' }, { ServerSideEncryption: 'aws:kms:dsse' }],
  ] as const)('name no key for aws/s3, and hold the answer of %j to its ARN', (encryption, parameters) => {
    const managed = { ...encryption, keyArn: MANAGED_KEY, managed: true } as const;
    expect(writeParameters(managed)).toEqual(parameters);
    expect(differences(managed, { ...parameters, SSEKMSKeyId: MANAGED_KEY })).toEqual([]);
    expect(differences(managed, { ...parameters, SSEKMSKeyId: STACK_KEY })).toEqual([expect.stringMatching(/^SSEKMSKeyId: asked for /)]);
  });
});

describe('keyParameters', () => {
  it('gives reads the customer key under SSE-C and nothing under any other mode', () => {
    expect(keyParameters(ENCRYPTIONS['sse-c'])).toEqual({ SSECustomerAlgorithm: 'AES256', SSECustomerKey: KEY_BASE64 });
    for (const mode of MODES.filter((name) => name !== 'sse-c')) expect(keyParameters(ENCRYPTIONS[mode])).toEqual({});
  });
});

describe('describeEncryption', () => {
  it.each([
    ['sse-s3', { mode: 'sse-s3' }],
    ['sse-kms', { mode: 'sse-kms', keyArn: STACK_KEY, bucketKey: true }],
    ['dsse-kms', { mode: 'dsse-kms', keyArn: STACK_KEY }],
    ['sse-c', { mode: 'sse-c', customerKeyVersion: KEY_VERSION }],
  ] as const)('names all of %s but secrets', (mode, description) => {
    expect(describeEncryption(ENCRYPTIONS[mode])).toEqual(description);
  });
});

describe('customerKey', () => {
  it('shows its version and never its material', () => {
    const key = secretKey(KEY_VERSION, KEY_MATERIAL);
    const shown = [JSON.stringify({ key }), inspect({ key }, { depth: null }), String(key), Object.values({ ...key }).join()].join('\n');
    expect(shown).toContain(KEY_VERSION);
    for (const form of [KEY_MATERIAL.toString(), KEY_BASE64, KEY_MATERIAL.toString('hex')]) expect(shown).not.toContain(form);
    expect(inspect(key)).not.toMatch(/Buffer/);
    expect(key.material).toBe(KEY_MATERIAL);
  });
});
