/** Encrypting, decrypting and data keys. */
import { DecryptCommand, EncryptCommand, GenerateDataKeyCommand, GenerateDataKeyWithoutPlaintextCommand } from '@aws-sdk/client-kms';
import { holds, refused, same } from '../difference.ts';
import { type Expectation, expectation } from '../expectation.ts';
import { encrypt } from './calls.ts';

const ENCRYPT = ['kms-api', 'API_Encrypt'] as const;
const DECRYPT = ['kms-api', 'API_Decrypt'] as const;
const DATA_KEY = ['kms-api', 'API_GenerateDataKey'] as const;
const Plaintext = Buffer.from('plain');

export const CRYPTOGRAPHY: Expectation[] = [
  expectation(
    'kms.encrypt.roundtrip',
    'what is encrypted is decrypted without naming the key, and the answer names it',
    DECRYPT,
    async (stage) => {
      const arn = await stage.keyArn();
      const { CiphertextBlob, KeyId } = await stage.kms.send(new EncryptCommand({ KeyId: arn, Plaintext }));
      same('the key of Encrypt', KeyId, arn);
      const answer = await stage.kms.send(new DecryptCommand({ CiphertextBlob }));
      same('the plaintext', Buffer.from(answer.Plaintext ?? []).toString(), 'plain');
      same('the key of Decrypt', answer.KeyId, arn);
    },
  ),
  expectation('kms.encrypt.fresh', 'the same plaintext is encrypted differently each time', ENCRYPT, async (stage) => {
    const [one, two] = [await encrypt(stage, await stage.keyArn()), await encrypt(stage, await stage.keyArn())];
    holds('both ciphertexts differ', !Buffer.from(one).equals(Buffer.from(two)));
  }),
  expectation('kms.encrypt.limit', 'Encrypt takes 4,096 bytes and no more', ENCRYPT, async (stage) => {
    const KeyId = await stage.keyArn();
    await stage.kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.alloc(4096) }));
    await refused(stage.kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.alloc(4097) })), '400 ValidationException');
  }),
  expectation(
    'kms.decrypt.context',
    'another encryption context is InvalidCiphertextException',
    ['kms-guide', 'encrypt_context'],
    async (stage) => {
      const context = { bucket: 'one' };
      const CiphertextBlob = await encrypt(stage, await stage.keyArn(), context);
      await stage.kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: context }));
      for (const EncryptionContext of [{ bucket: 'two' }, {}, { ...context, more: 'x' }]) {
        await refused(stage.kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext })), '400 InvalidCiphertextException');
      }
    },
  ),
  expectation('kms.decrypt.tampered', 'a changed ciphertext is InvalidCiphertextException', DECRYPT, async (stage) => {
    const CiphertextBlob = Buffer.from(await encrypt(stage, await stage.keyArn()));
    CiphertextBlob.writeUInt8(CiphertextBlob.readUInt8(CiphertextBlob.length - 1) ^ 1, CiphertextBlob.length - 1);
    await refused(stage.kms.send(new DecryptCommand({ CiphertextBlob })), '400 InvalidCiphertextException');
  }),
  expectation('kms.decrypt.other-key', 'naming another key is IncorrectKeyException', DECRYPT, async (stage) => {
    const CiphertextBlob = await encrypt(stage, await stage.keyArn());
    const KeyId = await stage.newKey();
    await refused(stage.kms.send(new DecryptCommand({ CiphertextBlob, KeyId })), '400 IncorrectKeyException');
  }),
  expectation('kms.data-key.aes-256', 'a data key has 32 bytes, and its ciphertext decrypts to them', DATA_KEY, async (stage) => {
    const KeyId = await stage.keyArn();
    const key = await stage.kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }));
    same('its length', key.Plaintext?.length, 32);
    const { Plaintext: opened } = await stage.kms.send(new DecryptCommand({ CiphertextBlob: key.CiphertextBlob }));
    same('they are equal', Buffer.from(opened ?? []).equals(Buffer.from(key.Plaintext ?? [])), true);
  }),
  expectation(
    'kms.data-key.without-plaintext',
    'a data key without plaintext is its ciphertext alone',
    ['kms-api', 'API_GenerateDataKeyWithoutPlaintext'],
    async (stage) => {
      const command = new GenerateDataKeyWithoutPlaintextCommand({ KeyId: await stage.keyArn(), NumberOfBytes: 24 });
      const answer = await stage.kms.send(command);
      same('Plaintext', Reflect.get(answer, 'Plaintext'), undefined);
      const opened = await stage.kms.send(new DecryptCommand({ CiphertextBlob: answer.CiphertextBlob }));
      same('its length', opened.Plaintext?.length, 24);
    },
  ),
  expectation('kms.data-key.one-length', 'KeySpec and NumberOfBytes together are ValidationException', DATA_KEY, async (stage) => {
    const command = new GenerateDataKeyCommand({ KeyId: await stage.keyArn(), KeySpec: 'AES_256', NumberOfBytes: 32 });
    await refused(stage.kms.send(command), '400 ValidationException');
  }),
];
