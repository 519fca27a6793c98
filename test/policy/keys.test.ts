import { describe, expect, it } from 'vitest';
import { decryptKeyArns, encryptKeyArns, keysOutside, namesManagedKey, namesMode } from '../../src/policy/keys.ts';
import { loadPolicy } from '../../src/policy/load.ts';

const KEY_1 = 'arn:aws:kms:us-east-1:000000000000:key/11111111-1111-1111-1111-111111111111';
const KEY_2 = 'arn:aws:kms:eu-west-1:000000000000:key/mrk-22222222222222222222222222222222';
const KEY_3 = 'arn:aws:kms:us-east-1:111111111111:key/33333333-3333-3333-3333-333333333333';

const policy = loadPolicy(`
version: 1
rules:
  - { match: { prefix: a/ }, encryption: { mode: dsse-kms, key: '${KEY_2}' } }
  - { match: { prefix: b/ }, encryption: { mode: sse-kms, key: aws/s3 } }
  - { match: { prefix: c/ }, encryption: { mode: sse-kms, key: '${KEY_1}' } }
  - { match: { prefix: d/ }, encryption: { mode: sse-kms } }
default: { encryption: { mode: sse-kms, key: '${KEY_2}' } }
formerKeys: ['${KEY_3}', '${KEY_3}']
`);
const without = loadPolicy('version: 1\ndefault: { encryption: { mode: sse-s3 } }\n');

describe('a policy', () => {
  it('encrypts under the ARNs that it names, each once, in order of appearance', () => {
    expect(encryptKeyArns(policy)).toEqual([KEY_2, KEY_1]);
    expect(encryptKeyArns(without)).toEqual([]);
  });

  it('decrypts under the former ones as well', () => {
    expect(decryptKeyArns(policy)).toEqual([KEY_2, KEY_1, KEY_3]);
  });

  it('names the modes of its rules and of its default, and no other', () => {
    expect((['sse-s3', 'sse-kms', 'dsse-kms', 'sse-c'] as const).filter((mode) => namesMode(policy, mode))).toEqual([
      'sse-kms',
      'dsse-kms',
    ]);
    expect(namesMode(without, 'sse-s3')).toBe(true);
  });

  it('names aws/s3 where a rule does', () => {
    expect(namesManagedKey(policy)).toBe(true);
    expect(namesManagedKey(without)).toBe(false);
    expect(namesManagedKey(loadPolicy('version: 1\ndefault: { encryption: { mode: dsse-kms, key: aws/s3 } }\n'))).toBe(true);
  });

  it('has keys outside of a Region, former ones too', () => {
    expect(keysOutside(policy, 'us-east-1')).toEqual([KEY_2]);
    expect(keysOutside(policy, 'eu-west-1')).toEqual([KEY_1, KEY_3]);
  });
});
