/** A secret in every form in which somebody may write it down, and where it is found. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** So much of a secret is a leak too. */
const HEAD_BYTES = 8;

export interface Form {
  /** What a failure is called by: never the secret. */
  name: string;
  bytes: Buffer;
}

/** A key: its bytes, its spellings, its digest as S3's headers carry it, and its head as a dump shows it. */
export function formsOfKey(name: string, material: Buffer): Form[] {
  const md5 = createHash('md5').update(material).digest();
  const head = material.subarray(0, HEAD_BYTES);
  return [
    { name: `${name}, raw`, bytes: material },
    ...spellings(name, material),
    ...spellings(`${name}, MD5`, md5),
    ...texts(name, { 'as a dump': head.toString('hex'), 'as numbers': head.join(',') }),
  ];
}

/** A text, such as an object's: itself and its spellings. */
export function formsOfText(name: string, text: string): Form[] {
  return [{ name, bytes: Buffer.from(text) }, ...spellings(name, Buffer.from(text))];
}

/** A JWT: what it says and the signature, which is the part that nobody else can make. */
export function formsOfToken(name: string, token: string): Form[] {
  const [, claims = '', signature = ''] = token.split('.');
  return texts(name, { signature, claims, ending: signature.slice(-24) });
}

/** Names of the forms that a text holds. */
export function canariesIn(text: string | Buffer, forms: Form[]): string[] {
  const bytes = Buffer.from(text);
  // Dumps and lists have spaces and lines between bytes.
  const dense = Buffer.from(bytes.toString('latin1').replace(/\s+/g, ''), 'latin1');
  return forms.filter((form) => bytes.includes(form.bytes) || dense.includes(form.bytes)).map(({ name }) => name);
}

/** `file: form` for each file below a folder that holds one. */
export function canariesBelow(folder: string, forms: Form[]): { files: number; found: string[] } {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const found = files.flatMap(({ parentPath, name }) => {
    const path = join(parentPath, name);
    return canariesIn(readFileSync(path), forms).map((form) => `${relative(folder, path)}: ${form}`);
  });
  return { files: files.length, found };
}

function spellings(name: string, bytes: Buffer): Form[] {
  const base64 = bytes.toString('base64');
  return texts(name, {
    base64: base64.replace(/=+$/, ''),
    base64url: bytes.toString('base64url'),
    'base64 in a URL': encodeURIComponent(base64),
    hex: bytes.toString('hex'),
    'hex in capitals': bytes.toString('hex').toUpperCase(),
  });
}

function texts(name: string, forms: Record<string, string>): Form[] {
  return Object.entries(forms).map(([form, text]) => ({ name: `${name}, ${form}`, bytes: Buffer.from(text) }));
}
