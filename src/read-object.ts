/** Reads an object of the target bucket, or one range of it, with whichever key opens it. */
import { codedMode } from './encryption/index.ts';
import { SealdropError } from './errors.ts';
import { type KeyDeps, keysToTry } from './keys-to-try.ts';
import { type Opening, readEnvelope, readKnownEnvelope, requireUnsealed } from './read-envelope.ts';
import { KeyRefused, letGo, openStored, type ReadRequest, type ReadResult, type StoredDeps } from './stored-object.ts';

export type { OpenedObject, ReadRequest, ReadResult } from './stored-object.ts';
export { letGo };

export interface ReadDeps extends KeyDeps, StoredDeps {
  /** For what was encrypted before S3 saw it; absent: it is given as it is. */
  opening?: Opening;
}

/**
 * An object that was encrypted before S3 saw it is opened here, and all that is told of it is told of its plaintext.
 * @returns `null`: the range begins behind the object's end
 * @throws SealdropError `not-found`, the key's own code, `ciphertext-invalid`, or what S3's refusal means
 */
export async function readObject(request: ReadRequest, deps: ReadDeps): Promise<ReadResult | null> {
  const { opening } = deps;
  if (opening === undefined) return readStored(request, deps);
  const known = await readKnownEnvelope(request, { ...deps, opening });
  if (known !== undefined) return known;
  const stored = await readStored(request, deps);
  if (stored === null) return null;
  const coded = codedMode(stored.object.contentEncoding);
  if (coded !== null) return readEnvelope(stored, coded.mode, request, { ...deps, opening });
  await requireUnsealed(stored, request, { ...deps, opening }).catch((error: unknown) => {
    letGo(stored.object);
    throw error;
  });
  return stored;
}

/**
 * S3 itself says whether a key opens the object: the keys are tried from the likeliest on until one does.
 * @returns `null`: the range begins behind the object's end
 * @throws SealdropError `not-found`, the key's own code, or what S3's refusal means
 */
async function readStored(request: ReadRequest, deps: ReadDeps): Promise<ReadResult | null> {
  let refusal: unknown;
  for await (const customerKey of keysToTry(request, deps)) {
    try {
      const result = await openStored(customerKey, request, deps);
      deps.openedWith.remember(request.key, request.versionId, customerKey?.versionId ?? null);
      return result;
    } catch (error) {
      if (!(error instanceof KeyRefused)) throw error;
      refusal = error;
    }
  }
  // A HEAD is refused without a word, for whichever reason; a GET of one byte says which.
  if (request.purpose === 'inspect') {
    const read = await readStored({ ...request, purpose: 'read', range: { first: 0, last: 0 } }, deps);
    if (read !== null) letGo(read.object);
  }
  const object = { bucket: deps.targetBucket, key: request.key, versionId: request.versionId };
  throw new SealdropError('customer-key-mismatch', 'neither the recorded nor the current customer key opens the object', {
    object,
    cause: refusal,
  });
}
