/** Why an object is not read. */
import { SealdropError } from '../errors.ts';

/** @param message never with key material, a wrapped key or plaintext; the object is named by whoever opens it */
export function refusal(message: string, cause?: unknown): SealdropError {
  return new SealdropError('source-not-decryptable', message, { cause });
}
