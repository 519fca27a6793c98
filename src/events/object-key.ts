/** What S3 takes for a key: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */

/** Bytes of UTF-8. */
export const MAX_KEY_BYTES = 1024;

/** @returns why no object can have this key, nor one that begins with it; `null`: one can */
export function keyProblem(key: string, name = 'key'): string | null {
  // S3 takes UTF-8, which has no lone surrogates; a URL cannot be made of one either.
  if (!key.isWellFormed()) return `the ${name} is not valid Unicode`;
  const bytes = Buffer.byteLength(key);
  if (bytes > MAX_KEY_BYTES) return `the ${name} has ${bytes} bytes; S3 allows ${MAX_KEY_BYTES}`;
  return climbsOut(key) ? `the ${name} climbs out of the bucket with "..", which S3 refuses` : null;
}

/** Read from the left, `..` may never outnumber the other segments. */
function climbsOut(key: string): boolean {
  let depth = 0;
  for (const segment of key.split('/')) {
    depth += segment === '..' ? -1 : 1;
    if (depth < 0) return true;
  }
  return false;
}
