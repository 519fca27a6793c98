/** What the policy's words come to in this stack. */
import { DescribeKeyCommand } from '@aws-sdk/client-kms';
import type { EncryptionDescription } from '../../../src/encryption/index.ts';
import type { Encryption } from '../../../src/policy/schema.ts';
import type { DoctorContext } from '../context.ts';

/** As an object's record describes it; the version of the customer key is whichever is current. */
export async function expectedEncryption(context: DoctorContext, encryption: Encryption): Promise<EncryptionDescription> {
  switch (encryption.mode) {
    case 'sse-s3':
    case 'sse-c':
      return { mode: encryption.mode };
    case 'sse-kms':
      return { mode: 'sse-kms', keyArn: await keyArn(context, encryption.key), bucketKey: encryption.bucketKey };
    case 'dsse-kms':
      return { mode: 'dsse-kms', keyArn: await keyArn(context, encryption.key) };
    case 'cse-kms':
      return { mode: 'cse-kms', keyArn: await keyArn(context, encryption.key) };
    case 'cse-aes':
      return { mode: 'cse-aes' };
    default:
      return encryption satisfies never;
  }
}

/** One sentence a difference. */
export function differences(expected: EncryptionDescription, found: Partial<EncryptionDescription>): string[] {
  return (['mode', 'keyArn', 'bucketKey'] as const).flatMap((member) =>
    expected[member] === found[member] ? [] : [`${member} is ${found[member] ?? 'none'} instead of ${expected[member] ?? 'none'}`],
  );
}

/** As the policy says it, for people. */
export function nameOf(encryption: Encryption): string {
  if (encryption.mode === 'sse-s3' || encryption.mode === 'sse-c' || encryption.mode === 'cse-aes') return encryption.mode;
  const key = encryption.key ?? "the stack's key";
  return `${encryption.mode} (${key}${encryption.mode === 'sse-kms' && encryption.bucketKey ? ', bucket key' : ''})`;
}

async function keyArn({ clients, stack }: DoctorContext, key: string | undefined): Promise<string> {
  if (key !== 'aws/s3') return key ?? stack.keyArn;
  const { KeyMetadata } = await clients.kms.send(new DescribeKeyCommand({ KeyId: 'alias/aws/s3' }));
  return KeyMetadata?.Arn ?? key;
}
