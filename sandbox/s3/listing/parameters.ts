/** Parameters that the listings share, and the encoding of names in their answers. */
import { invalidArgument } from '../errors.ts';
import { formEncode } from '../form-encoding.ts';

const MAX_INT = 2_147_483_647;

/** Reads a number of items per page. Throws AwsError when it is none; more than `most` is taken as `most`. */
export function parseMax(value: string | null, name: string, most: number): number {
  if (value === null || value === '') return most;
  if (!/^-?\d+$/.test(value)) throw invalidArgument(`Provided ${name} not an integer or within integer range`, name, value);
  const number = Number(value);
  if (number < 0 || number > MAX_INT) {
    throw invalidArgument(`Argument ${name} must be an integer between 0 and ${MAX_INT}`, name, value);
  }
  return Math.min(number, most);
}

/**
 * With `encoding-type=url` names are form-encoded (slashes stay), because XML cannot carry every character.
 * Throws AwsError for any other type.
 */
export function nameEncoder(encodingType: string | null): (name: string) => string {
  if (encodingType === null) return (name) => name;
  if (encodingType !== 'url') throw invalidArgument('Invalid Encoding Method specified in Request', 'encoding-type', encodingType);
  return formEncode;
}
