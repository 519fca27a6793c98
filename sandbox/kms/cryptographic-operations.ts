/** Operations that use a key. @see https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html for which states allow it */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Judge } from '../iam/judge.ts';
import type { DataKeys, KeyCaller } from '../service.ts';
import { type JsonOperation, operation } from '../wire/json-service.ts';
import { blob, stringMap } from '../wire/members.ts';
import { decryptBlob, encryptBlob, keyIdOf } from './ciphertext.ts';
import { incorrectKey, unknownCiphertextKey, validation } from './errors.ts';
import { askKey, askNamedKey, encryptionContextKeys, requestAlias, requireKey } from './key-access.ts';
import { type KeyRecord, type KeyStore, keyArn } from './key-store.ts';

export type CryptographicOperation =
  | 'Encrypt'
  | 'Decrypt'
  | 'ReEncrypt'
  | 'GenerateDataKey'
  | 'GenerateDataKeyWithoutPlaintext'
  | 'GenerateRandom';

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html#API_Encrypt_RequestParameters */
const MAX_PLAINTEXT_BYTES = 4096;
const MAX_CIPHERTEXT_BYTES = 6144;
const MAX_RANDOM_BYTES = 1024;
const ALGORITHM = 'SYMMETRIC_DEFAULT';
const DATA_KEY_BYTES = { AES_256: 32, AES_128: 16 };

const keyId = z.string().min(1).max(2048);
const context = stringMap.default({});
const algorithm = z.literal(ALGORITHM).default(ALGORITHM);
const ciphertext = blob({ min: 1, max: MAX_CIPHERTEXT_BYTES });
const numberOfBytes = z.int().min(1).max(MAX_RANDOM_BYTES);
/** There are no grants here, and some clients say so. */
const granting = <Shape extends z.ZodRawShape>(shape: Shape) => z.preprocess(withoutGrants, z.strictObject(shape));
const dataKeyInput = granting({
  KeyId: keyId,
  EncryptionContext: context,
  KeySpec: z.enum(['AES_256', 'AES_128']).optional(),
  NumberOfBytes: numberOfBytes.optional(),
});

export function cryptographicOperations(keys: KeyStore): Record<CryptographicOperation, JsonOperation> {
  const askFor = ({ KeyId, EncryptionContext }: { KeyId: string; EncryptionContext: Record<string, string> }) => [
    askNamedKey(keys, KeyId, encryptionContextKeys(EncryptionContext)),
  ];
  /** The ciphertext tells the key; the request may name it too. */
  const askSource = (bytes: Buffer, encryptionContext: Record<string, string>, name: string | undefined) =>
    askKey(keys, keyOf(keys, bytes, name), { ...encryptionContextKeys(encryptionContext), ...requestAlias(name) });

  return {
    Encrypt: operation(
      'kms:Encrypt',
      granting({
        KeyId: keyId,
        Plaintext: blob({ min: 1, max: MAX_PLAINTEXT_BYTES }),
        EncryptionContext: context,
        EncryptionAlgorithm: algorithm,
      }),
      (input) => {
        const key = keys.requireEnabled(input.KeyId);
        const encrypted = encryptBlob(key.id, keys.material(key), input.Plaintext, input.EncryptionContext);
        return { KeyId: keyArn(key.id), CiphertextBlob: encrypted.toString('base64'), EncryptionAlgorithm: ALGORITHM };
      },
      askFor,
    ),
    Decrypt: operation(
      'kms:Decrypt',
      granting({ CiphertextBlob: ciphertext, EncryptionContext: context, KeyId: keyId.optional(), EncryptionAlgorithm: algorithm }),
      (input) => {
        const { key, plaintext } = decryptWithin(keys, input.CiphertextBlob, input.EncryptionContext, input.KeyId);
        return { KeyId: keyArn(key.id), Plaintext: plaintext.toString('base64'), EncryptionAlgorithm: ALGORITHM };
      },
      ({ CiphertextBlob, EncryptionContext, KeyId }) => [askSource(CiphertextBlob, EncryptionContext, KeyId)],
    ),
    ReEncrypt: operation(
      'kms:ReEncryptFrom',
      granting({
        CiphertextBlob: ciphertext,
        SourceEncryptionContext: context,
        SourceKeyId: keyId.optional(),
        SourceEncryptionAlgorithm: algorithm,
        DestinationKeyId: keyId,
        DestinationEncryptionContext: context,
        DestinationEncryptionAlgorithm: algorithm,
      }),
      (input) => {
        const source = decryptWithin(keys, input.CiphertextBlob, input.SourceEncryptionContext, input.SourceKeyId);
        const key = keys.requireEnabled(input.DestinationKeyId);
        const encrypted = encryptBlob(key.id, keys.material(key), source.plaintext, input.DestinationEncryptionContext);
        return {
          CiphertextBlob: encrypted.toString('base64'),
          SourceKeyId: keyArn(source.key.id),
          KeyId: keyArn(key.id),
          SourceEncryptionAlgorithm: ALGORITHM,
          DestinationEncryptionAlgorithm: ALGORITHM,
        };
      },
      (input) => [
        askSource(input.CiphertextBlob, input.SourceEncryptionContext, input.SourceKeyId),
        {
          ...askNamedKey(keys, input.DestinationKeyId, encryptionContextKeys(input.DestinationEncryptionContext)),
          action: 'kms:ReEncryptTo',
        },
      ],
    ),
    GenerateDataKey: operation(
      'kms:GenerateDataKey',
      dataKeyInput,
      (input) => {
        const { keyArn: arn, plaintext, ciphertextBlob } = generate(keys, input.KeyId, dataKeyLength(input), input.EncryptionContext);
        return { KeyId: arn, Plaintext: plaintext.toString('base64'), CiphertextBlob: ciphertextBlob.toString('base64') };
      },
      askFor,
    ),
    GenerateDataKeyWithoutPlaintext: operation(
      'kms:GenerateDataKeyWithoutPlaintext',
      dataKeyInput,
      (input) => {
        const { keyArn: arn, ciphertextBlob } = generate(keys, input.KeyId, dataKeyLength(input), input.EncryptionContext);
        return { KeyId: arn, CiphertextBlob: ciphertextBlob.toString('base64') };
      },
      askFor,
    ),
    GenerateRandom: operation('kms:GenerateRandom', z.strictObject({ NumberOfBytes: numberOfBytes }), (input) => ({
      Plaintext: randomBytes(input.NumberOfBytes).toString('base64'),
    })),
  };
}

/** The same for services in process. */
export function dataKeysOf(keys: KeyStore, judge: Judge): DataKeys {
  function requireAllowed(action: string, key: KeyRecord, encryptionContext: Record<string, string>, caller: KeyCaller): void {
    requireKey(judge, askKey(keys, key, encryptionContextKeys(encryptionContext)), action, caller);
  }

  return {
    generateDataKey(name, encryptionContext, caller) {
      requireAllowed('kms:GenerateDataKey', keys.require(name), encryptionContext, caller);
      return generate(keys, name, DATA_KEY_BYTES.AES_256, encryptionContext);
    },
    decrypt(ciphertextBlob, encryptionContext, caller) {
      requireAllowed('kms:Decrypt', keyOf(keys, ciphertextBlob), encryptionContext, caller);
      const { key, plaintext } = decryptWithin(keys, ciphertextBlob, encryptionContext);
      return { keyArn: keyArn(key.id), plaintext };
    },
    requireAllowed(action, name, encryptionContext, caller) {
      const key = keys.require(name);
      requireAllowed(action, key, encryptionContext, caller);
      keys.assertEnabled(key);
      return keyArn(key.id);
    },
    requireUsable: (name) => keyArn(keys.requireEnabled(name).id),
  };
}

function generate(keys: KeyStore, name: string, bytes: number, encryptionContext: Record<string, string>) {
  const key = keys.requireEnabled(name);
  const plaintext = randomBytes(bytes);
  return { keyArn: keyArn(key.id), plaintext, ciphertextBlob: encryptBlob(key.id, keys.material(key), plaintext, encryptionContext) };
}

/** @param expected the key that the caller says it is; `IncorrectKeyException` when the blob is another's */
function keyOf(keys: KeyStore, bytes: Buffer, expected?: string): KeyRecord {
  const id = keyIdOf(bytes);
  if (expected !== undefined && keys.require(expected).id !== id) throw incorrectKey();
  const key = keys.find(id);
  if (!key) throw unknownCiphertextKey();
  return key;
}

/** @param expected as above */
function decryptWithin(
  keys: KeyStore,
  bytes: Buffer,
  encryptionContext: Record<string, string>,
  expected?: string,
): { key: KeyRecord; plaintext: Buffer } {
  const key = keyOf(keys, bytes, expected);
  keys.assertEnabled(key);
  return { key, plaintext: decryptBlob(bytes, keys.material(key), encryptionContext) };
}

function dataKeyLength(input: z.output<typeof dataKeyInput>): number {
  if ((input.KeySpec === undefined) === (input.NumberOfBytes === undefined)) {
    throw validation('Please specify either number of bytes or key spec.');
  }
  return input.NumberOfBytes ?? DATA_KEY_BYTES[input.KeySpec ?? 'AES_256'];
}

function withoutGrants(input: unknown): unknown {
  if (typeof input !== 'object' || input === null || !('GrantTokens' in input)) return input;
  const { GrantTokens, ...rest } = input;
  return Array.isArray(GrantTokens) && GrantTokens.length === 0 ? rest : input;
}
