/** What a message says of what it is for. */
import type { EncryptionContext } from '../../src/envelope/index.ts';
import type { Place } from './place.ts';

const OURS = { sealdrop: 'cse' };

/** As the pipeline has it of objects; a message in a file is for no place. */
export function contextFor(target: Place, more: Readonly<Record<string, string>>): EncryptionContext {
  return { ...OURS, ...(target.kind === 's3' ? { bucket: target.bucket, key: target.key } : {}), ...more };
}

/**
 * What a message must say; it may say more.
 * @param said of the message, not proven yet: where it names no key, a data key was reused for several objects of the bucket. That one of them was
 * not put in another's place the pipeline's record would tell, which is not asked here
 * @param more stands over what is asked of every message
 */
export function expectedOf(
  source: Place,
  said: Readonly<EncryptionContext>,
  { context: more, anyContext }: { context: Readonly<Record<string, string>>; anyContext: boolean },
): EncryptionContext {
  if (anyContext) return { ...more };
  if (source.kind !== 's3') return { ...OURS, ...more };
  return { ...OURS, bucket: source.bucket, ...(said.key === undefined ? {} : { key: source.key }), ...more };
}
