/** Under which name a download is saved. Pure. */

/** What no file name of any system has, or what a shell, a page or a reader could take for something else: signs that turn the direction of writing make `exe` look like `pdf`. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}"\\/:*?<>|]/gu;
/** https://www.rfc-editor.org/rfc/rfc8187#section-3.2.1: all but attr-char is encoded. */
const UNRESERVED_MARKS = /[!'()*]/g;
const NAME_BYTES = 255;

/**
 * `attachment` with a name for every client: one in ASCII, and where that says less, the whole one in UTF-8.
 * @param name what it is to be called; of paths the last segment counts
 * @see https://www.rfc-editor.org/rfc/rfc6266#section-4.1
 */
export function attachment(name: string): string {
  const whole = shortened(lastSegment(name).toWellFormed().replace(UNSAFE, '_').replace(/^\.+$/, '')) || 'download';
  const ascii = whole.replace(/[^\x20-\x7e]/gu, '_').replaceAll('%', '_');
  const plain = `attachment; filename="${ascii}"`;
  if (ascii === whole) return plain;
  const encoded = encodeURIComponent(whole).replace(UNRESERVED_MARKS, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
  return `${plain}; filename*=UTF-8''${encoded}`;
}

function lastSegment(name: string): string {
  return name.split('/').findLast((segment) => segment !== '') ?? '';
}

/** File systems take so many bytes; the end of a name says what it is. */
function shortened(name: string): string {
  const characters = [...name];
  while (Buffer.byteLength(characters.join('')) > NAME_BYTES) characters.splice(Math.floor(characters.length / 2), 1);
  return characters.join('');
}
