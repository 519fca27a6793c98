/** Server-side encryption: makes and opens the data keys of objects, mode by mode. */
import type { DataKeys } from '../../service.ts';
import { invalidRequest } from '../errors.ts';
import type { Layers } from './cipher.ts';
import { dsseKms } from './dsse-kms.ts';
import type { Choice, CustomerKey, EncryptionMode, Mode, Owner, Sealed } from './mode.ts';
import { sseC } from './sse-c.ts';
import { sseKms } from './sse-kms.ts';
import { sseS3 } from './sse-s3.ts';
import { openRootKey } from './wrap.ts';

export interface Encryption {
  /** Makes the data keys of a new object. Throws AwsError when the key that is asked for cannot be used. */
  seal(choice: Choice, owner: Owner): { sealed: Sealed; layers: Layers };
  /**
   * The data keys of a stored object.
   * @param customerKey what the request carries, `null` for nothing
   * Throws AwsError when the key is missing, wrong, not applicable or cannot be used now.
   */
  open(sealed: Sealed, owner: Owner, customerKey: CustomerKey | null): Layers;
}

/** @param folder where the sandbox's root key lies */
export function openEncryption(keys: DataKeys, folder: string): Encryption {
  const rootKey = openRootKey(folder);
  const modes: { [M in Mode]: EncryptionMode<M> } = {
    'sse-s3': sseS3(rootKey),
    'sse-kms': sseKms(keys),
    'dsse-kms': dsseKms(keys, rootKey),
    'sse-c': sseC(),
  };
  return {
    seal(choice, owner) {
      switch (choice.mode) {
        case 'sse-s3':
          return modes['sse-s3'].seal(choice, owner);
        case 'sse-kms':
          return modes['sse-kms'].seal(choice, owner);
        case 'dsse-kms':
          return modes['dsse-kms'].seal(choice, owner);
        case 'sse-c':
          return modes['sse-c'].seal(choice, owner);
        default:
          return choice satisfies never;
      }
    },
    open(sealed, owner, customerKey) {
      if (sealed.mode !== 'sse-c' && customerKey) throw invalidRequest('The encryption parameters are not applicable to this object.');
      switch (sealed.mode) {
        case 'sse-s3':
          return modes['sse-s3'].open(sealed, owner, customerKey);
        case 'sse-kms':
          return modes['sse-kms'].open(sealed, owner, customerKey);
        case 'dsse-kms':
          return modes['dsse-kms'].open(sealed, owner, customerKey);
        case 'sse-c':
          return modes['sse-c'].open(sealed, owner, customerKey);
        default:
          return sealed satisfies never;
      }
    },
  };
}
