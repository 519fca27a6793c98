/** What a stack has for encryption before S3, and only where policy.yml asks for it. */
import { describe, expect, it } from 'vitest';
import { ACCOUNT_ID, REGION } from '../../sandbox/account.ts';
import { environment } from '../../stack/environment.ts';
import { encryptMemory } from '../../stack/memory.ts';
import { type Right, rightsOf } from '../../stack/rights.ts';
import { BREAK_GLASS, documentOf, has, judged, KEY_ARN, plain, policyOf, propertiesOf, roleArn, STACK_KEY_ARN, stackOf } from './stack.ts';

const TARGET = `sealdrop-qa-target-${ACCOUNT_ID}-${REGION}`;
const IN_MESSAGE = { 'kms:EncryptionContext:sealdrop': 'cse', 'kms:EncryptionContext:bucket': TARGET };
const BROUGHT = `arn:aws:secretsmanager:${REGION}:${ACCOUNT_ID}:secret:team-AbC123`;
const FORMER = KEY_ARN.replace('1111', '7777');

const kms = stackOf(policyOf([], { mode: 'cse-kms' }));
const aes = stackOf(policyOf([], { mode: 'cse-aes' }));
const neither = stackOf();

const find = (rights: Right[], sid: string) => rights.find((right) => right.sid === sid) ?? null;
const keysOf = (right: Right | null) => plain(right?.resources ?? null);

describe('rights', () => {
  it('let encrypt make data keys under the keys of cse-kms, for messages of this bucket alone, and never open one', () => {
    const stack = stackOf(policyOf([{ match: { prefix: 'a' }, encryption: { mode: 'cse-kms', key: KEY_ARN } }], { mode: 'cse-kms' }));
    const { encrypt } = rightsOf(stack);
    const seal = find(encrypt, 'SealMessages');
    expect(seal?.actions).toEqual(['kms:GenerateDataKey']);
    expect(keysOf(seal)).toEqual([STACK_KEY_ARN, KEY_ARN]);
    expect(plain(seal?.condition)).toEqual({ StringEquals: IN_MESSAGE });
    expect(keysOf(find(encrypt, 'EncryptByS3'))).toEqual([STACK_KEY_ARN]);
  });

  it('name no key that no rule of cse-kms means', () => {
    expect(find(rightsOf(neither).encrypt, 'SealMessages')).toBeNull();
    expect(find(rightsOf(aes).encrypt, 'SealMessages')).toBeNull();
    const own = stackOf(policyOf([], { mode: 'cse-kms', key: KEY_ARN }));
    expect(keysOf(find(rightsOf(own).encrypt, 'SealMessages'))).toEqual([KEY_ARN]);
  });

  it('let download open what today or a former policy sealed', () => {
    const stack = stackOf(policyOf([], { mode: 'cse-kms', key: KEY_ARN }, [FORMER]));
    const open = find(rightsOf(stack).download, 'OpenMessages');
    expect(open?.actions).toEqual(['kms:Decrypt']);
    expect(keysOf(open)).toEqual([STACK_KEY_ARN, KEY_ARN, FORMER]);
    expect(plain(open?.condition)).toEqual({ StringEquals: IN_MESSAGE });
    expect(keysOf(find(rightsOf(neither).download, 'OpenMessages'))).toEqual([STACK_KEY_ARN]);
  });

  it('give nobody else a key for messages', () => {
    const { encrypt: _, download: __, ...others } = rightsOf(kms);
    const held = Object.values(others).flat();
    expect(held.filter(({ condition }) => JSON.stringify(plain(condition) ?? null).includes('EncryptionContext:sealdrop'))).toEqual([]);
  });

  it('give encrypt the wrapping key where a rule asks for it, and download wherever there is one', () => {
    expect(keysOf(find(rightsOf(aes).encrypt, 'ReadWrappingKey'))).toEqual(['<WrappingKey>']);
    expect(keysOf(find(rightsOf(aes).download, 'ReadWrappingKey'))).toEqual(['<WrappingKey>']);
    for (const name of ['encrypt', 'download'] as const) expect(find(rightsOf(kms)[name], 'ReadWrappingKey')).toBeNull();
    const former = rightsOf(stackOf(policyOf(), { wrappingKeySecret: BROUGHT }));
    expect(find(former.encrypt, 'ReadWrappingKey')).toBeNull();
    expect(keysOf(find(former.download, 'ReadWrappingKey'))).toEqual([BROUGHT]);
  });
});

describe("the objects' key", () => {
  const may = (stack: typeof kms, role: string, action: string, context: Record<string, string>) =>
    judged(documentOf(stack, 'Key', 'KeyPolicy'), { role: roleArn(role), action, resource: STACK_KEY_ARN, context }, 'key').allowed;

  it('makes data keys for encrypt and opens them for download, for messages of this bucket', () => {
    expect(may(kms, 'encrypt', 'kms:GenerateDataKey', IN_MESSAGE)).toBe(true);
    expect(may(kms, 'download', 'kms:Decrypt', IN_MESSAGE)).toBe(true);
    expect(may(kms, 'encrypt', 'kms:Decrypt', IN_MESSAGE)).toBe(false);
    expect(may(kms, 'download', 'kms:GenerateDataKey', IN_MESSAGE)).toBe(false);
    expect(may(neither, 'encrypt', 'kms:GenerateDataKey', IN_MESSAGE)).toBe(false);
    for (const role of ['audit', 'list', 'history', 'health', 'authorize'])
      expect(may(kms, role, 'kms:Decrypt', IN_MESSAGE), role).toBe(false);
  });

  it('is opened for messages by break-glass, if there is one', () => {
    const document = (breakGlass: string[]) => documentOf(stackOf(policyOf(), { breakGlass }), 'Key', 'KeyPolicy');
    const asked = { role: BREAK_GLASS, action: 'kms:Decrypt', resource: STACK_KEY_ARN, context: IN_MESSAGE };
    expect(judged(document([]), asked, 'key').allowed).toBe(false);
    expect(judged(document([BREAK_GLASS]), asked, 'key').allowed).toBe(true);
    expect(judged(document([BREAK_GLASS]), { ...asked, action: 'kms:GenerateDataKey' }, 'key').allowed).toBe(false);
    expect(judged(document([BREAK_GLASS]), { ...asked, context: {} }, 'key').allowed).toBe(false);
  });

  it.each([
    ['without a context', {}],
    ['for another purpose', { ...IN_MESSAGE, 'kms:EncryptionContext:sealdrop': 'other' }],
    ['for another bucket', { ...IN_MESSAGE, 'kms:EncryptionContext:bucket': 'other' }],
    ['for no bucket', { 'kms:EncryptionContext:sealdrop': 'cse' }],
  ])('serves neither %s', (_, context) => {
    expect(may(kms, 'encrypt', 'kms:GenerateDataKey', context)).toBe(false);
    expect(may(kms, 'download', 'kms:Decrypt', context)).toBe(false);
  });
});

describe('the wrapping key', () => {
  it('is a secret of its own, guarded and kept like the customer key, only where a rule asks for it', () => {
    expect(has(aes, 'WrappingKey')).toBe(true);
    expect(has(kms, 'WrappingKey')).toBe(false);
    const { Name, ...wrapping } = propertiesOf(aes, 'WrappingKey');
    const { Name: other, ...customer } = propertiesOf(aes, 'CustomerKey');
    expect(Name).not.toBe(other);
    expect({ ...wrapping, Description: '' }).toEqual({ ...customer, Description: '' });
    const read = (role: string) =>
      judged(documentOf(aes, 'WrappingKeyPolicy', 'ResourcePolicy'), {
        role: roleArn(role),
        action: 'secretsmanager:GetSecretValue',
        resource: 'secret',
        context: {},
      }).allowed;
    expect(['encrypt', 'download', 'audit', 'transit'].filter(read)).toEqual(['encrypt', 'download']);
  });

  it('may be brought, and is then not made', () => {
    const stack = stackOf(policyOf([], { mode: 'cse-aes' }), { wrappingKeySecret: BROUGHT });
    expect(has(stack, 'WrappingKey')).toBe(false);
    for (const name of ['encrypt', 'download'] as const) expect(environment(stack)[name].WRAPPING_KEY_SECRET).toBe(BROUGHT);
    expect(environment(neither).download.WRAPPING_KEY_SECRET).toBeUndefined();
  });
});

it('gives encrypt a whole CPU only where bytes pass through it', () => {
  expect([neither, kms, aes].map(encryptMemory)).toEqual([512, 1769, 1769]);
});
