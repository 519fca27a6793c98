/** What was fetched is of no use: a run that went on with it would come to the same end. */
import { Failure } from '../failure.ts';
import type { RemoteObject } from './remote-object.ts';

export class Worthless extends Failure {
  override readonly name = 'Worthless';
}

export function changed({ key }: RemoteObject): Worthless {
  return new Worthless(`${key} changed while it was fetched.`, {
    code: 'precondition-failed',
    nextStep: 'Run the same command again: it fetches the newer state.',
  });
}

export function otherBytes({ key, checksum, length }: RemoteObject): Worthless {
  const judge = checksum === null ? `length of ${length} bytes` : `${checksum.name} checksum`;
  return new Worthless(`${key}: what came is not what S3 stored, as its ${judge} says.`, {
    code: 'checksum-mismatch',
    nextStep: 'Run the same command again; if it comes again, ask the operators.',
  });
}
