/**
 * How text that is not US-ASCII stands in a header.
 * @see https://datatracker.ietf.org/doc/html/rfc2047
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html#UserMetadata
 */

const WORD = /=\?([\w-]+)\?([bq])\?([^?\s]*)\?=/gi;
/** White space between two words is part of neither. */
const BETWEEN_WORDS = /(=\?[\w-]+\?[bq]\?[^?\s]*\?=)\s+(?==\?[\w-]+\?[bq]\?[^?\s]*\?=)/gi;

/** Words that say how they are encoded become what they mean; what cannot be read stays as it is. */
export function decodeWords(value: string): string {
  if (!value.includes('=?')) return value;
  return value.replace(BETWEEN_WORDS, '$1').replace(WORD, (word, charset: string, encoding: string, text: string) => {
    const bytes = encoding.toLowerCase() === 'b' ? Buffer.from(text, 'base64') : fromQ(text);
    return decode(bytes, charset) ?? word;
  });
}

/** One word, of UTF-8, unless the value is printable US-ASCII. */
export function encodeWords(value: string): string {
  return /[^\x20-\x7e]/.test(value) ? `=?UTF-8?B?${Buffer.from(value).toString('base64')}?=` : value;
}

function fromQ(text: string): Buffer {
  const plain = text.replaceAll('_', ' ').replace(/=([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(plain, 'latin1');
}

/** `null` for bytes that are none of the charset's, and charsets that nobody knows. */
function decode(bytes: Buffer, charset: string): string | null {
  try {
    return new TextDecoder(charset, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
