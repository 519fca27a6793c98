/** Keys in event notifications and in listings with `encoding-type=url`: form encoding, but that slashes stay. */
export function formEncode(key: string): string {
  return encodeURIComponent(key)
    .replace(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
    .replaceAll('%2F', '/');
}
