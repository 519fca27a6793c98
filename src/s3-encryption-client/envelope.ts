/**
 * What the metadata says: how the content is encrypted, how its data key is wrapped. Nothing of it is believed yet.
 * @see https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/s3-encryption/data-format/content-metadata.md
 */
import { DESCRIPTIVE, type Fields, FORMATS, type Format, formatOf, PLAINTEXT_LENGTH } from './names.ts';
import { refusal } from './refusal.ts';

/** By the name that x-amz-cek-alg or x-amz-c has for it. */
export type Content =
  | { suite: 'AES/CBC/PKCS5Padding'; iv: Buffer }
  | { suite: 'AES/GCM/NoPadding'; iv: Buffer }
  | { suite: '115'; messageId: Buffer; commitment: Buffer };

export type Suite = Content['suite'];

/** As x-amz-wrap-alg names it; `AES` stands for V1's silence. */
export type Wrapping = 'kms+context' | 'AES/GCM' | 'kms' | 'AESWrap' | 'AES';

export interface Envelope {
  format: Format;
  content: Content;
  wrapping: Wrapping;
  wrappedKey: Buffer;
  /** The encryption context for KMS, the description of the key material otherwise. */
  description: Record<string, string>;
  /** What somebody wrote down; no cipher vouches for it. */
  plaintextLength: string | undefined;
}

/** https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/algorithm-suites.md */
const GCM_IV_BYTES = 12;
const CBC_IV_BYTES = 16;
const MESSAGE_ID_BYTES = 28;
const COMMITMENT_BYTES = 28;
const GCM_TAG_BITS = '128';

const V2_WRAPPINGS: readonly Wrapping[] = ['kms+context', 'AES/GCM', 'kms', 'AESWrap'];
const V3_WRAPPINGS: ReadonlyMap<string, Wrapping> = new Map([
  ['02', 'AES/GCM'],
  ['12', 'kms+context'],
]);
const RSA = ['22', 'RSA', 'RSA-OAEP-SHA1', 'RSA/ECB/OAEPWithSHA-256AndMGF1Padding'];

/** V1 does not say how the key is wrapped: under AES a key of 32 bytes becomes 48, under RSA as many as the modulus has, so more. */
const LONGEST_UNDER_AES = 48;

/** @throws SealdropError `source-not-decryptable` */
export function parseEnvelope(fields: Fields): Envelope {
  const format = formatOf(fields);
  const { key, required, optional } = FORMATS[format];
  for (const name of required) {
    if (!Object.hasOwn(fields, name)) throw refusal(`its metadata is of the format ${format} and lacks ${name}`);
  }
  const known = [key, ...required, ...optional, ...DESCRIPTIVE];
  const foreign = Object.keys(fields).find((name) => !known.includes(name) && belongsToAFormat(name));
  if (foreign !== undefined) throw refusal(`its metadata is of the format ${format}, to which ${foreign} does not belong`);
  const wrappedKey = bytes(fields, key);
  const wrapping = wrappingOf(format, fields, wrappedKey);
  return {
    format,
    content: contentOf(format, fields),
    wrapping,
    wrappedKey,
    description: description(fields, format === 'V3' ? (wrapping === 'kms+context' ? 'x-amz-t' : 'x-amz-m') : 'x-amz-matdesc'),
    plaintextLength: fields[PLAINTEXT_LENGTH],
  };
}

function belongsToAFormat(name: string): boolean {
  return Object.values(FORMATS).some(({ key, required, optional }) => [key, ...required, ...optional].includes(name));
}

function contentOf(format: Format, fields: Fields): Content {
  if (format === 'V3') {
    if (fields['x-amz-c'] !== '115') throw refusal('its x-amz-c names a content encryption other than 115');
    return { suite: '115', messageId: bytes(fields, 'x-amz-i', MESSAGE_ID_BYTES), commitment: bytes(fields, 'x-amz-d', COMMITMENT_BYTES) };
  }
  const suite = fields['x-amz-cek-alg'] ?? 'AES/CBC/PKCS5Padding';
  const tagLength = fields['x-amz-tag-len'];
  if (suite === 'AES/CBC/PKCS5Padding') {
    if (tagLength !== undefined) throw refusal('its content is under AES/CBC/PKCS5Padding, which has no tag, and x-amz-tag-len is there');
    return { suite, iv: bytes(fields, 'x-amz-iv', CBC_IV_BYTES) };
  }
  if (suite !== 'AES/GCM/NoPadding' || format === 'V1')
    throw refusal(`its x-amz-cek-alg names no content encryption of the format ${format}`);
  if (tagLength !== GCM_TAG_BITS) throw refusal(`its content is under AES/GCM/NoPadding, and x-amz-tag-len is not ${GCM_TAG_BITS}`);
  return { suite, iv: bytes(fields, 'x-amz-iv', GCM_IV_BYTES) };
}

function wrappingOf(format: Format, fields: Fields, wrappedKey: Buffer): Wrapping {
  const named = fields[format === 'V3' ? 'x-amz-w' : 'x-amz-wrap-alg'];
  if (named === undefined && wrappedKey.byteLength <= LONGEST_UNDER_AES) return 'AES';
  if (named === undefined || RSA.includes(named)) throw refusal('its data key is wrapped under RSA, which is not read');
  const wrapping = format === 'V3' ? V3_WRAPPINGS.get(named) : V2_WRAPPINGS.find((name) => name === named);
  if (wrapping === undefined) throw refusal(`the way its data key is wrapped is none of the format ${format}`);
  return wrapping;
}

/** Absent is empty: so says the specification of V3, and V1 and V2 have come past their required fields. */
function description(fields: Fields, name: string): Record<string, string> {
  const text = fields[name] ?? '{}';
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw refusal(`its ${name} is not JSON`, error);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw refusal(`its ${name} is not a JSON object`);
  const entries: [string, string][] = [];
  for (const [entry, value] of Object.entries(json)) {
    if (typeof value !== 'string') throw refusal(`its ${name} holds a value that is not a text`);
    entries.push([entry, value]);
  }
  return Object.fromEntries(entries);
}

function bytes(fields: Fields, name: string, length?: number): Buffer {
  const text = fields[name] ?? '';
  const decoded = Buffer.from(text, 'base64');
  // Decoding skips what it does not know.
  if (text === '' || decoded.toString('base64') !== text) throw refusal(`its ${name} is not base64`);
  if (length !== undefined && decoded.byteLength !== length)
    throw refusal(`its ${name} holds ${decoded.byteLength} bytes instead of ${length}`);
  return decoded;
}
