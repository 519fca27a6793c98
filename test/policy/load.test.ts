import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadPolicy } from '../../src/policy/load.ts';

const DEFAULT = 'default: { encryption: { mode: sse-s3 } }';
const KEY = 'arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555';
const rule = (match: string, encryption = '{ mode: sse-s3 }') =>
  `version: 1\nrules:\n  - match: ${match}\n    encryption: ${encryption}\n${DEFAULT}\n`;
const access = (text: string) => `version: 1\n${DEFAULT}\naccess:\n  - ${text}\n`;

/** What is wrong → the text, and the whole message: where it stands, what was found, what is allowed. */
const WRONG: Record<string, [text: string, message: string]> = {
  'an unknown word at the top': [
    `version: 1\n${DEFAULT}\nrule: []\n`,
    'policy.yml:3:1: at rule: unknown word; allowed: version, rules, default, s3EncryptionClient, formerKeys, source, storageClass, access, downloads',
  ],
  'an unknown word in a match': [
    rule('{ prefix: a/, prefx: b/ }'),
    'policy.yml:3:26: at rules.0.match.prefx: unknown word; allowed: prefix, suffix, size, contentType, tags',
  ],
  'an unknown word in a mode': [
    rule('{ prefix: a/ }', '{ mode: sse-s3, key: x }'),
    'policy.yml:4:33: at rules.0.encryption.key: unknown word; allowed: mode',
  ],
  'an unknown mode': [
    `version: 1\ndefault:\n  encryption: { mode: rot13 }\n`,
    'policy.yml:3:17: at default.encryption.mode: got "rot13"; allowed: sse-s3, sse-kms, dsse-kms, sse-c, cse-kms, cse-aes',
  ],
  'aws/s3 for cse-kms, which nobody may use but S3': [
    rule('{ prefix: a/ }', '{ mode: cse-kms, key: aws/s3 }'),
    'policy.yml:4:34: at rules.0.encryption.key: got "aws/s3"; allowed: a full KMS key ARN (arn:aws:kms:REGION:ACCOUNT:key/ID) rather than an alias or a bare id',
  ],
  'more MiB than one function takes': [
    rule('{ prefix: a/ }', '{ mode: cse-aes, upToMiB: 4097 }'),
    'policy.yml:4:34: at rules.0.encryption.upToMiB: got 4097; allowed: at most 4096, which is 4 GiB',
  ],
  'sources to decrypt without a word on what opens them': [
    `version: 1\ndefault: { decrypt: s3-encryption-client, encryption: { mode: sse-s3 } }\n`,
    'policy.yml:2:12: at default.decrypt: got "s3-encryption-client"; allowed: only with s3EncryptionClient, which says what opens such sources',
  ],
  'what opens sources where none are decrypted': [
    `version: 1\n${DEFAULT}\ns3EncryptionClient: {}\n`,
    'policy.yml:3:1: at s3EncryptionClient: got a mapping; allowed: only with a rule that says decrypt: s3-encryption-client',
  ],
  'the oldest formats where sources are deleted': [
    `version: 1\ndefault: { decrypt: s3-encryption-client, encryption: { mode: sse-s3 } }\ns3EncryptionClient: { legacy: true }\nsource: delete\n`,
    'policy.yml:3:23: at s3EncryptionClient.legacy: got true; allowed: false where source is delete',
  ],
  'a key that opens sources and objects alike': [
    `version: 1\ndefault: { decrypt: s3-encryption-client, encryption: { mode: cse-kms, key: '${KEY}' } }\ns3EncryptionClient: { keys: ['${KEY}'] }\n`,
    'policy.yml:3:23: at s3EncryptionClient.keys: got a list; allowed: keys that neither a rule nor formerKeys name',
  ],
  'an unknown version': [`version: 2\n${DEFAULT}\n`, 'policy.yml:1:1: at version: got 2; allowed: 1'],
  'no version': [`${DEFAULT}\n`, 'policy.yml:1:1: at version: got nothing; allowed: 1'],
  'no default': ['version: 1\n', 'policy.yml:1:1: at default: missing; it must be of type object'],
  'a rule without encryption': [
    `version: 1\nrules:\n  - match: { prefix: a/ }\n${DEFAULT}\n`,
    'policy.yml:3:5: at rules.0.encryption: missing; it must be of type object',
  ],
  'a number for a prefix': [rule('{ prefix: 7 }'), 'policy.yml:3:14: at rules.0.match.prefix: got 7; it must be of type string'],
  'a word for a Bucket Key': [
    rule('{ prefix: a/ }', '{ mode: sse-kms, bucketKey: maybe }'),
    'policy.yml:4:34: at rules.0.encryption.bucketKey: got "maybe"; it must be of type boolean',
  ],
  'a list for a match': [rule('[]'), 'policy.yml:3:5: at rules.0.match: got a list; it must be of type object'],
  'a match of nothing': [
    rule('{}'),
    'policy.yml:3:5: at rules.0.match: got a mapping; allowed: at least one of prefix, suffix, size, contentType, tags',
  ],
  'a size of nothing': [
    rule('{ size: {} }'),
    'policy.yml:3:14: at rules.0.match.size: got a mapping; allowed: at least one of atLeast, below; atLeast must be smaller than below',
  ],
  'a size that nothing has': [
    rule('{ size: { atLeast: 5, below: 5 } }'),
    'policy.yml:3:14: at rules.0.match.size: got a mapping; allowed: at least one of atLeast, below; atLeast must be smaller than below',
  ],
  'no tags': [rule('{ tags: {} }'), 'policy.yml:3:14: at rules.0.match.tags: got a mapping; allowed: 1 to 10 tags'],
  'a media type in upper case': [
    rule('{ contentType: Image/PNG }'),
    'policy.yml:3:14: at rules.0.match.contentType: got "Image/PNG"; allowed: a lower-case media type such as `application/pdf` or `image/*`',
  ],
  'a former key by alias': [
    `version: 1\n${DEFAULT}\nformerKeys: [alias/old]\n`,
    'policy.yml:3:14: at formerKeys.0: got "alias/old"; allowed: a full KMS key ARN (arn:aws:kms:REGION:ACCOUNT:key/ID) rather than an alias or a bare id',
  ],
  'a former key that a rule names': [
    `${rule('{ prefix: a/ }', `{ mode: dsse-kms, key: '${KEY}' }`)}formerKeys: ['${KEY}']\n`,
    `policy.yml:6:14: at formerKeys.0: got "${KEY}"; allowed: a key that no rule names`,
  ],
  'a KMS alias': [
    rule('{ prefix: a/ }', '{ mode: sse-kms, key: alias/mine }'),
    'policy.yml:4:34: at rules.0.encryption.key: got "alias/mine"; allowed: aws/s3, or a full KMS key ARN (arn:aws:kms:REGION:ACCOUNT:key/ID) rather than an alias or a bare id',
  ],
  'a source that is moved': [`version: 1\n${DEFAULT}\nsource: move\n`, 'policy.yml:3:1: at source: got "move"; allowed: keep, delete'],
  'an unknown right': [
    access('{ who: { claim: groups, has: a }, may: [write], under: [""] }'),
    'policy.yml:4:45: at access.0.may.0: got "write"; allowed: read, list, history, share',
  ],
  'no rights': [
    access('{ who: { claim: groups, has: a }, may: [], under: [""] }'),
    'policy.yml:4:39: at access.0.may: got a list; allowed: at least one of read, list, history, share',
  ],
  'rights nowhere': [
    access('{ who: { claim: groups, has: a }, may: [read], under: [] }'),
    "policy.yml:4:52: at access.0.under: got a list; allowed: at least one prefix ('' for every key)",
  ],
};

function messageOf(text: string): string {
  try {
    loadPolicy(text);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'policy-invalid') return error.message;
    throw error;
  }
  throw new Error('the policy was taken');
}

describe('loadPolicy', () => {
  it.each(Object.entries(WRONG))('refuses %s', (_what, [text, message]) => {
    expect(messageOf(text)).toBe(message);
  });

  it('names every problem at once, one a line', () => {
    const text = `version: 2\nrules:\n  - match: { prefix: a/, prefx: b/ }\n    encryption: { mode: rot13 }\n${DEFAULT}\nextra: 1\n`;
    expect(
      messageOf(text)
        .split('\n')
        .map((line) => line.split(' ')[0])
        .sort(),
    ).toEqual(['policy.yml:1:1:', 'policy.yml:3:26:', 'policy.yml:4:19:', 'policy.yml:6:1:']);
  });

  it.each([
    ['a broken list', 'version: [1\n', /^policy\.yml:\d+:\d+: not valid YAML: /],
    ['a word said twice', `version: 1\nversion: 1\n${DEFAULT}\n`, /^policy\.yml:2:1: not valid YAML: Map keys must be unique/],
    ['two documents', `version: 1\n${DEFAULT}\n---\nversion: 1\n`, /not valid YAML/],
    ['nothing', '', /at the policy/],
    ['a text', 'hello', /at the policy: got "hello"/],
  ])('refuses %s', (_what, text, message) => {
    expect(messageOf(text)).toMatch(message);
  });

  it('calls the file by its name', () => {
    expect(() => loadPolicy('version: 2', 'other/policy.yaml')).toThrow(/^other\/policy\.yaml:1:1: /);
  });

  it('fills in what may be left out', () => {
    expect(loadPolicy(`version: 1\ndefault: { encryption: { mode: sse-kms } }`)).toEqual({
      version: 1,
      rules: [],
      default: { encryption: { mode: 'sse-kms', bucketKey: false } },
      formerKeys: [],
      source: 'keep',
      storageClass: 'STANDARD',
      access: [],
      downloads: [],
    });
  });

  it.each([KEY, KEY.replace('arn:aws', 'arn:aws-us-gov'), KEY.replace('key/1', 'key/mrk-1'), 'aws/s3'])('takes the key %s', (key) => {
    expect(loadPolicy(rule('{ prefix: a/ }', `{ mode: sse-kms, key: "${key}" }`)).rules[0]?.encryption).toMatchObject({ key });
  });

  it.each([
    ['{ size: { atLeast: 0 } }'],
    ['{ size: { below: 1 } }'],
    ['{ size: { atLeast: 5, below: 6 } }'],
    ['{ contentType: image/* }'],
    ['{ tags: { a: "" } }'],
    [`{ tags: { ${Array.from({ length: 10 }, (_, index) => `t${index}: x`).join(', ')} } }`],
  ])('takes the match %s', (match) => {
    expect(loadPolicy(rule(match)).rules).toHaveLength(1);
  });

  it('refuses an eleventh tag, since S3 has no object with that many', () => {
    const tags = Array.from({ length: 11 }, (_, index) => `t${index}: x`).join(', ');
    expect(messageOf(rule(`{ tags: { ${tags} } }`))).toContain('1 to 10 tags');
  });

  it('takes the policy that the project ships', () => {
    const text = readFileSync(new URL('../../policy.yml', import.meta.url), 'utf8');
    expect(loadPolicy(text).rules.map(({ encryption }) => encryption.mode)).toEqual(['sse-c', 'dsse-kms', 'sse-s3']);
  });
});
