/** Server-side encryption: makes and opens the data keys of objects, mode by mode. */
import type { DataKeys, KeyCaller } from '../../service.ts';
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
  seal(choice: Choice, owner: Owner, caller: KeyCaller): { sealed: Sealed; layers: Layers };
  /**
   * The data keys of a stored object.
   * @param customerKey what the request carries, `null` for nothing
   * Throws AwsError when the key is missing, wrong, not applicable or cannot be used now.
   */
  open(sealed: Sealed, owner: Owner, customerKey: CustomerKey | null, caller: KeyCaller): Layers;
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
    seal(choice, owner, caller) {
      switch (choice.mode) {
        case 'sse-s3':
          return modes['sse-s3'].seal(choice, owner, caller);
        case 'sse-kms':
          return modes['sse-kms'].seal(choice, owner, caller);
        case 'dsse-kms':
          return modes['dsse-kms'].seal(choice, owner, caller);
        case 'sse-c':
          return modes['sse-c'].seal(choice, owner, caller);
        default:
          return choice satisfies never;
      }
    },
    open(sealed, owner, customerKey, caller) {
      if (sealed.mode !== 'sse-c' && customerKey) throw invalidRequest('The encryption parameters are not applicable to this object.');
      switch (sealed.mode) {
        case 'sse-s3':
          return modes['sse-s3'].open(sealed, owner, customerKey, caller);
        case 'sse-kms':
          return modes['sse-kms'].open(sealed, owner, customerKey, caller);
        case 'dsse-kms':
          return modes['dsse-kms'].open(sealed, owner, customerKey, caller);
        case 'sse-c':
          return modes['sse-c'].open(sealed, owner, customerKey, caller);
        default:
          return sealed satisfies never;
      }
    },
  };
}
