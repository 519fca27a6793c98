/** What opens messages and objects. */
import type { ClientSideMode, SecretKey } from '../../src/encryption/index.ts';
import { aesOpeningKeys, kmsOpeningKeys, type OpeningKeys, WRAPPING_NAMESPACE } from '../../src/envelope/index.ts';
import { createManagedKey } from '../../src/keys/managed-key.ts';
import { createCustomerKeys, createWrappingKeys } from '../../src/keys/secret-keys.ts';
import { Failure } from '../failure.ts';
import type { Aws } from './aws.ts';
import type { DecryptArguments } from './decrypt-arguments.ts';
import { MANAGED_KEY, regionOfKey } from './key-options.ts';

type Locked = Parameters<OpeningKeys['toOpen']>[0];

export interface Opening {
  /** @param mode `null`: whatever the message says of its keys */
  keysFor(mode: ClientSideMode | null): OpeningKeys;
  /** Of SSE-C; `null`: nobody said a secret. */
  customerKey: (() => Promise<SecretKey>) | null;
  /** The only KMS keys that may open anything; `null`: any. */
  kmsKeys(): Promise<readonly string[] | null>;
}

/**
 * Where neither a KMS key nor a secret is said, the KMS key that a message names is asked, whichever account it is in: KMS decides whether the caller may use it. A message
 * then proves that somebody wrote it for this place under a key that the caller may use; that it is under a certain key, --kms-key and --secret alone do.
 * @see https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/use-kms-keyring.html#kms-keyring-discovery
 */
export function openOpening(asked: Pick<DecryptArguments, 'kmsKeys' | 'secret' | 'secretVersion'>, aws: Aws): Opening {
  const { secret, secretVersion } = asked;
  const { secretsManager } = aws;
  const wrapping = secret === null ? null : aesOpeningKeys(createWrappingKeys({ secretsManager, secretId: secret }));
  const customer = secret === null ? null : createCustomerKeys({ secretsManager, secretId: secret });
  const managedKey = createManagedKey(aws.kmsOf(null));

  const aes: OpeningKeys = {
    toOpen(locked) {
      if (wrapping !== null) return wrapping.toOpen(locked);
      throw new Failure('It is under the wrapping key of a secret.', { nextStep: 'Say --secret NAME-OR-ARN.' });
    },
  };
  const kms: OpeningKeys = { toOpen: (locked) => openByKms(locked, asked.kmsKeys, aws) };

  return {
    keysFor(mode) {
      if (mode !== null) return mode === 'cse-kms' ? kms : aes;
      return {
        toOpen(locked) {
          const [isKms, isAes] = [
            kmsArnsOf(locked).length > 0,
            locked.encryptedDataKeys.some(({ providerId }) => providerId === WRAPPING_NAMESPACE),
          ];
          if (wrapping !== null && !isAes && asked.kmsKeys.length === 0) throw notUnderSecret(locked);
          return (isAes && (wrapping !== null || !isKms) ? aes : kms).toOpen(locked);
        },
      };
    },
    customerKey: customer && (() => (secretVersion === null ? customer.current() : customer.version(secretVersion))),
    async kmsKeys() {
      if (asked.kmsKeys.length === 0) return null;
      return Promise.all(asked.kmsKeys.map((key) => (key === MANAGED_KEY ? managedKey() : key)));
    },
  };
}

/** Whoever says a secret says which key it is under. */
function notUnderSecret(locked: Locked): Failure {
  const named = kmsArnsOf(locked);
  if (named.length === 0) return underNeither();
  const nextStep = `--kms-key ${named[0]} allows it, if that is a key of yours.`;
  return new Failure(`It is under ${named.join(' and ')}, not under the wrapping key of a secret.`, { nextStep });
}

function underNeither(): Failure {
  return new Failure('It is under neither a KMS key nor a wrapping key of Sealdrop.', { code: 'ciphertext-invalid' });
}

/** Each in its own Region, one after the other, until one opens it. */
async function openByKms(locked: Locked, only: readonly string[], aws: Aws): ReturnType<OpeningKeys['toOpen']> {
  const named = kmsArnsOf(locked);
  if (named.length === 0) throw underNeither();
  const may = only.length === 0 ? named : named.filter((keyArn) => only.includes(keyArn));
  if (may.length === 0) {
    const nextStep = `--kms-key ${named[0]} allows it, if that is a key of yours.`;
    throw new Failure(`It is under ${named.join(' and ')}, which --kms-key does not name.`, { nextStep });
  }
  const refusals: unknown[] = [];
  for (const keyArn of may) {
    try {
      return await kmsOpeningKeys(aws.kmsOf(keyArn), [keyArn]).toOpen(locked);
    } catch (error) {
      refusals.push(error);
    }
  }
  throw refusals[0];
}

/** The KMS keys that a message names; what is no ARN of a key is none. */
function kmsArnsOf({ encryptedDataKeys }: Locked): string[] {
  const named = encryptedDataKeys.filter(({ providerId, providerInfo }) => providerId === 'aws-kms' && regionOfKey(providerInfo) !== null);
  return [...new Set(named.map(({ providerInfo }) => providerInfo))];
}
