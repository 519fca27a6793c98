/**
 * Metadata that is not ASCII, as S3 gives it back: it takes the bytes of a header for Latin-1 and returns what it read as words
 * of RFC 2047 in UTF-8, so that UTF-8 comes back encoded twice.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html#UserMetadata
 */
import { isUtf8 } from 'node:buffer';
import { refusal } from './refusal.ts';

const WORD = /=\?([^?*\s]+)(?:\*[^?\s]*)?\?([BQ])\?([^?\s]*)\?=/gi;
const WORDS = new RegExp(`${WORD.source}(?:\\s*${WORD.source})*`, 'gi');

const DECODERS: ReadonlyMap<string, (bytes: Buffer) => string> = new Map([
  ['utf-8', (bytes) => bytes.toString('utf8')],
  ['us-ascii', (bytes) => bytes.toString('latin1')],
  ['iso-8859-1', (bytes) => bytes.toString('latin1')],
]);

/** @throws SealdropError `source-not-decryptable` for words in any other character set */
export function decodeS3Text(text: string): string {
  return undoSecondEncoding(text.replace(WORDS, decodeWords));
}

/** Words that follow each other are one text, without the white space between them, and may part a character. */
function decodeWords(words: string): string {
  let charset = '';
  const parts: Buffer[] = [];
  for (const [, name = '', encoding = '', content = ''] of words.matchAll(WORD)) {
    charset ||= name.toLowerCase();
    if (name.toLowerCase() !== charset) throw refusal('its metadata mixes character sets in one text');
    parts.push(encoding.toUpperCase() === 'B' ? Buffer.from(content, 'base64') : decodeQ(content));
  }
  const decode = DECODERS.get(charset);
  if (decode === undefined) throw refusal('its metadata is in a character set other than UTF-8, Latin-1 and ASCII');
  return decode(Buffer.concat(parts));
}

function decodeQ(content: string): Buffer {
  const text = content
    .replaceAll('_', ' ')
    .replace(/=([0-9A-F]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  return Buffer.from(text, 'latin1');
}

function undoSecondEncoding(text: string): string {
  const bytes = Buffer.from(text, 'latin1');
  return bytes.toString('latin1') === text && isUtf8(bytes) ? bytes.toString('utf8') : text;
}
