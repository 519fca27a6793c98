/** Where bytes come from and where they go, as an argument says it. */
import { keyProblem } from '../../src/events/object-key.ts';

export const PIPE = '-';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

export interface FilePlace {
  kind: 'file';
  path: string;
}

export interface ObjectPlace {
  kind: 's3';
  bucket: string;
  /** May be empty, or end in `/`: then it is a prefix. */
  key: string;
}

export type Place = { kind: 'pipe' } | FilePlace | ObjectPlace;

/** @param name of the argument @throws an error that names it */
export function readPlace(name: string, said: string | undefined): Place {
  if (said === undefined || said === '') throw new Error(`${name}: which one?`);
  if (said === PIPE) return { kind: 'pipe' };
  if (!/^s3:/i.test(said)) return { kind: 'file', path: said };
  const [, bucket = '', key = ''] = /^s3:\/\/([^/]*)(?:\/(.*))?$/s.exec(said) ?? [];
  if (!BUCKET.test(bucket)) throw new Error(`${name} ${said}: an object is said as s3://BUCKET/KEY`);
  const problem = keyProblem(key);
  if (problem !== null) throw new Error(`${name}: ${problem}`);
  return { kind: 's3', bucket, key };
}

export const isPrefix = ({ key }: ObjectPlace): boolean => key === '' || key.endsWith('/');

/** @param pipe what `-` is here */
export function placeText(place: Place, pipe: 'standard input' | 'standard output'): string {
  switch (place.kind) {
    case 'pipe':
      return pipe;
    case 'file':
      return place.path;
    case 's3':
      return `s3://${place.bucket}/${place.key}`;
    default:
      return place satisfies never;
  }
}
