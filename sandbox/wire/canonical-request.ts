/** The text that both sides of Signature Version 4 hash. Strings are latin1 here: one character is one byte of the wire. */
const UNRESERVED = /^[A-Za-z0-9\-._~]*$/;
const UNRESERVED_PATH = /^[A-Za-z0-9\-._~/]*$/;
const UNIT = /%[0-9A-Fa-f]{2}|./gs;
const UNIT_OF_PATH = /%[0-9A-Fa-f]{2}|[^/]/g;

export interface CanonicalInput {
  method: string;
  rawPath: string;
  /** As sent, without the `?`. */
  rawQuery: string;
  /** As node:http gives them: name, value, name, value. */
  rawHeaders: string[];
  /** Lower-cased and sorted, as the client listed them. */
  signedHeaders: string[];
  payloadHash: string;
  /** S3 signs the path as sent; every other service a normalised path, encoded once more. */
  s3: boolean;
}

/** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
export function canonicalRequest(input: CanonicalInput): string {
  const path = input.s3 ? canonicalS3Path(input.rawPath) : canonicalServicePath(input.rawPath);
  const headers = canonicalHeaders(input.rawHeaders, input.signedHeaders);
  return `${input.method}\n${path}\n${canonicalQuery(input.rawQuery)}\n${headers}\n${input.signedHeaders.join(';')}\n${input.payloadHash}`;
}

function canonicalS3Path(rawPath: string): string {
  if (UNRESERVED_PATH.test(rawPath)) return rawPath;
  return rawPath.replace(UNIT_OF_PATH, encodeUnit);
}

function canonicalServicePath(rawPath: string): string {
  if (rawPath === '/' || rawPath === '') return '/';
  const segments: string[] = [];
  for (const segment of rawPath.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment.replace(/./gs, encodeUnit));
  }
  return `/${segments.join('/')}${segments.length > 0 && rawPath.endsWith('/') ? '/' : ''}`;
}

function canonicalQuery(rawQuery: string): string {
  if (rawQuery === '') return '';
  const pairs = rawQuery
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=');
      const name = equals === -1 ? pair : pair.slice(0, equals);
      const value = equals === -1 ? '' : pair.slice(equals + 1);
      return [encodeQuery(name), encodeQuery(value)] as const;
    });
  pairs.sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]));
  return pairs.map(([name, value]) => `${name}=${value}`).join('&');
}

function canonicalHeaders(rawHeaders: string[], signedHeaders: string[]): string {
  const values = new Map<string, string>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    const value = (rawHeaders[index + 1] ?? '').trim().replace(/ {2,}/g, ' ');
    const earlier = values.get(name);
    values.set(name, earlier === undefined ? value : `${earlier},${value}`);
  }
  let text = '';
  for (const name of signedHeaders) text += `${name}:${values.get(name) ?? ''}\n`;
  return text;
}

function encodeQuery(raw: string): string {
  return UNRESERVED.test(raw) ? raw : encodeComponent(raw.replaceAll('+', ' '));
}

/** Decodes what is percent-encoded and encodes all but the unreserved characters, byte by byte, so that nothing is malformed. */
function encodeComponent(raw: string): string {
  return raw.replace(UNIT, encodeUnit);
}

function encodeUnit(unit: string): string {
  const code = unit.length === 3 ? Number.parseInt(unit.slice(1), 16) : unit.charCodeAt(0);
  const character = String.fromCharCode(code);
  return UNRESERVED.test(character) ? character : `%${code.toString(16).toUpperCase().padStart(2, '0')}`;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
