/** Calls of KMS that most expectations make. */
import { CreateAliasCommand, DeleteAliasCommand, DescribeKeyCommand, EncryptCommand, PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import type { Stage } from '../stage.ts';

const Plaintext = Buffer.from('plain');

export async function encrypt(stage: Stage, KeyId: string, EncryptionContext: Record<string, string> = {}): Promise<Uint8Array> {
  const { CiphertextBlob } = await stage.kms.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext }));
  return CiphertextBlob ?? new Uint8Array();
}

export async function stateOf(stage: Stage, KeyId: string): Promise<string | undefined> {
  return (await stage.kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.KeyState;
}

export async function alias(stage: Stage, TargetKeyId: string): Promise<string> {
  const AliasName = `alias/${stage.unique('alias')}`;
  await stage.kms.send(new CreateAliasCommand({ AliasName, TargetKeyId }));
  const gone = (error: unknown) => {
    if (!(error instanceof Error) || error.name !== 'NotFoundException') throw error;
  };
  stage.atEnd(() => stage.kms.send(new DeleteAliasCommand({ AliasName })).catch(gone));
  return AliasName;
}

/** The account keeps every right, so that the key can still be deleted. */
export async function putPolicy(stage: Stage, KeyId: string, more: object[]): Promise<void> {
  const account = { AWS: `arn:aws:iam::${await stage.account()}:root` };
  const everything = { Sid: 'ConformanceAccount', Effect: 'Allow', Principal: account, Action: 'kms:*', Resource: '*' };
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [everything, ...more] });
  await stage.kms.send(new PutKeyPolicyCommand({ KeyId, PolicyName: 'default', Policy }));
}
