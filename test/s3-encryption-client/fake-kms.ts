/** As much of KMS as Decrypt needs: a blob belongs to one key and one encryption context. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { DecryptCommand, type DecryptCommandInput, KMSClient, KMSServiceException } from '@aws-sdk/client-kms';
import { mockClient } from 'aws-sdk-client-mock';

const ROOT_KEY = randomBytes(32);
const ARN_END = 0;

export const kmsError = (name: string) =>
  new KMSServiceException({ name, message: name, $fault: 'client', $metadata: { httpStatusCode: 400, requestId: 'EXAMPLE' } });

export function wrapWithKms(arn: string, context: Record<string, string>, dataKey: Buffer): Buffer {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', ROOT_KEY, iv);
  cipher.setAAD(canonical(context));
  return Buffer.concat([Buffer.from(arn), Buffer.from([ARN_END]), iv, cipher.update(dataKey), cipher.final(), cipher.getAuthTag()]);
}

/** A client whose requests never leave the process, with its mock. */
export function fakeKms() {
  const client = new KMSClient({ region: 'us-east-1', credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'example' } });
  const mock = mockClient(client);
  mock.on(DecryptCommand).callsFake(async ({ KeyId, CiphertextBlob, EncryptionContext = {} }: DecryptCommandInput) => {
    const blob = Buffer.from(CiphertextBlob ?? []);
    const end = blob.indexOf(ARN_END);
    const arn = blob.subarray(0, end).toString();
    if (KeyId !== undefined && KeyId !== arn) throw kmsError('IncorrectKeyException');
    const decipher = createDecipheriv('aes-256-gcm', ROOT_KEY, blob.subarray(end + 1, end + 13));
    decipher.setAAD(canonical(EncryptionContext));
    decipher.setAuthTag(blob.subarray(-16));
    try {
      const opened = Buffer.concat([decipher.update(blob.subarray(end + 13, -16)), decipher.final()]);
      return { KeyId: arn, Plaintext: new Uint8Array(opened), EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
    } catch {
      throw kmsError('InvalidCiphertextException');
    }
  });
  return { client, mock };
}

const canonical = (context: Record<string, string>) => Buffer.from(JSON.stringify(Object.entries(context).sort()));
