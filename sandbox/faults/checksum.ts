/** Checksums that are not those of the bytes. */
import type { ServerResponse } from 'node:http';
import { changeBody, changeHeaders } from './answer.ts';

const HEADER = /^x-amz-checksum-(?!type$|algorithm$|mode$)/;
const ELEMENT = /<(Checksum(?!Type|Algorithm)[A-Z0-9]+)>([^<]+)</g;

/** Changes every checksum that the answer carries, in its headers and its XML. */
export function answerWrongChecksums(response: ServerResponse): void {
  changeHeaders(response, (headers) => {
    for (const [name, value] of Object.entries(headers)) {
      if (HEADER.test(name)) headers[name] = falsify(String(value));
    }
  });
  changeBody(response, 'application/xml', (xml) =>
    xml.replace(ELEMENT, (_whole, name: string, value: string) => `<${name}>${falsify(value)}<`),
  );
}

/** As long as before, base64 as before, and its number of parts, if any, stays. */
function falsify(checksum: string): string {
  const [, base64 = '', parts = ''] = /^([^-]*)(-\d+)?$/.exec(checksum) ?? [];
  const bytes = Buffer.from(base64, 'base64');
  bytes[0] = (bytes[0] ?? 0) ^ 0xff;
  return bytes.toString('base64') + parts;
}
