/**
 * Writes objects as the specification says, by hand and with nothing of the reader: HKDF from HMAC, the fields spelt out.
 * @see https://github.com/awslabs/aws-encryption-sdk-specification/tree/master/s3-encryption
 */
import { createCipheriv, createHmac, randomBytes } from 'node:crypto';
import { wrapWithKms } from './fake-kms.ts';

export const KEY_ARN = 'arn:aws:kms:us-east-1:111122223333:key/11111111-2222-4333-8444-555555555555';
export const WRAPPING_KEY = Buffer.from('a wrapping key of thirty-two by.');

export interface Kind {
  format: 'V1' | 'V2' | 'V3';
  content: 'committing' | 'gcm' | 'cbc';
  wrapping: 'kms+context' | 'AES/GCM' | 'kms' | 'AESWrap' | 'AES';
}

export const KINDS: Kind[] = [
  { format: 'V3', content: 'committing', wrapping: 'kms+context' },
  { format: 'V3', content: 'committing', wrapping: 'AES/GCM' },
  { format: 'V2', content: 'gcm', wrapping: 'kms+context' },
  { format: 'V2', content: 'gcm', wrapping: 'AES/GCM' },
];

export const LEGACY_KINDS: Kind[] = [
  { format: 'V2', content: 'gcm', wrapping: 'kms' },
  { format: 'V2', content: 'gcm', wrapping: 'AESWrap' },
  { format: 'V2', content: 'cbc', wrapping: 'kms' },
  { format: 'V2', content: 'cbc', wrapping: 'AESWrap' },
  { format: 'V1', content: 'cbc', wrapping: 'kms' },
  { format: 'V1', content: 'cbc', wrapping: 'AESWrap' },
  { format: 'V1', content: 'cbc', wrapping: 'AES' },
];

export const nameOf = ({ format, content, wrapping }: Kind) => `${format}, ${content}, wrapped by ${wrapping}`;

export interface Written {
  metadata: Record<string, string>;
  instructionFile: string | null;
  ciphertext: Buffer;
}

interface Options {
  plaintext: Buffer;
  /** Of the application, beside what the client adds by itself. */
  context?: Record<string, string>;
  place?: 'metadata' | 'instruction file';
  application?: Record<string, string>;
}

const CEK_ALG = { committing: '115', gcm: 'AES/GCM/NoPadding', cbc: 'AES/CBC/PKCS5Padding' };
const SHORT: Record<string, string> = { 'AES/GCM': '02', 'kms+context': '12' };

export function write(kind: Kind, { plaintext, context = {}, place = 'metadata', application = {} }: Options): Written {
  const dataKey = randomBytes(32);
  const cekAlg = CEK_ALG[kind.content];
  const described = {
    'kms+context': { ...context, 'aws:x-amz-cek-alg': cekAlg },
    kms: { ...context, kms_cmk_id: KEY_ARN },
    'AES/GCM': context,
    AESWrap: context,
    AES: context,
  }[kind.wrapping];
  const wrapped = wrap(kind, dataKey, described).toString('base64');
  const matdesc = JSON.stringify(described);

  if (kind.format === 'V3') {
    const messageId = randomBytes(28);
    const suiteId = Buffer.from('0073', 'hex');
    const commitment = hkdf(dataKey, messageId, Buffer.concat([suiteId, Buffer.from('COMMITKEY')]), 28);
    const key = hkdf(dataKey, messageId, Buffer.concat([suiteId, Buffer.from('DERIVEKEY')]), 32);
    const ciphertext = gcm(key, Buffer.from('010101010101010101010101', 'hex'), plaintext, suiteId);
    const ofTheKey = {
      'x-amz-3': wrapped,
      'x-amz-w': SHORT[kind.wrapping] ?? '',
      ...(kind.wrapping === 'kms+context' ? { 'x-amz-t': matdesc } : { 'x-amz-m': matdesc }),
    };
    const ofTheContent = { 'x-amz-c': '115', 'x-amz-d': commitment.toString('base64'), 'x-amz-i': messageId.toString('base64') };
    return place === 'metadata'
      ? { metadata: { ...application, ...ofTheContent, ...ofTheKey }, instructionFile: null, ciphertext }
      : { metadata: { ...application, ...ofTheContent }, instructionFile: JSON.stringify(ofTheKey), ciphertext };
  }

  const iv = randomBytes(kind.content === 'cbc' ? 16 : 12);
  const ciphertext = kind.content === 'cbc' ? cbc(dataKey, iv, plaintext) : gcm(dataKey, iv, plaintext, null);
  const fields: Record<string, string> = {
    [kind.format === 'V1' ? 'x-amz-key' : 'x-amz-key-v2']: wrapped,
    'x-amz-iv': iv.toString('base64'),
    'x-amz-matdesc': matdesc,
    'x-amz-unencrypted-content-length': String(plaintext.byteLength),
  };
  if (kind.wrapping !== 'AES') fields['x-amz-wrap-alg'] = kind.wrapping;
  if (kind.format === 'V2') fields['x-amz-cek-alg'] = cekAlg;
  if (kind.content === 'gcm') fields['x-amz-tag-len'] = '128';
  return place === 'metadata'
    ? { metadata: { ...application, ...fields }, instructionFile: null, ciphertext }
    : { metadata: application, instructionFile: JSON.stringify(fields), ciphertext };
}

function wrap(kind: Kind, dataKey: Buffer, context: Record<string, string>): Buffer {
  switch (kind.wrapping) {
    case 'kms':
    case 'kms+context':
      return wrapWithKms(KEY_ARN, context, dataKey);
    case 'AES/GCM': {
      const iv = randomBytes(12);
      return Buffer.concat([iv, gcm(WRAPPING_KEY, iv, dataKey, Buffer.from(CEK_ALG[kind.content]))]);
    }
    case 'AESWrap': {
      const cipher = createCipheriv('id-aes256-wrap', WRAPPING_KEY, Buffer.from('a6a6a6a6a6a6a6a6', 'hex'));
      return Buffer.concat([cipher.update(dataKey), cipher.final()]);
    }
    case 'AES': {
      const cipher = createCipheriv('aes-256-ecb', WRAPPING_KEY, null);
      return Buffer.concat([cipher.update(dataKey), cipher.final()]);
    }
  }
}

/** https://www.rfc-editor.org/rfc/rfc5869, for lengths of one block */
export function hkdf(keyMaterial: Buffer, salt: Buffer, info: Buffer, length: number): Buffer {
  const pseudorandomKey = createHmac('sha512', salt).update(keyMaterial).digest();
  return createHmac('sha512', pseudorandomKey)
    .update(info)
    .update(Buffer.from([1]))
    .digest()
    .subarray(0, length);
}

export function gcm(key: Buffer, iv: Buffer, plaintext: Buffer, aad: Buffer | null): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  if (aad !== null) cipher.setAAD(aad);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

function cbc(key: Buffer, iv: Buffer, plaintext: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  return Buffer.concat([cipher.update(plaintext), cipher.final()]);
}
