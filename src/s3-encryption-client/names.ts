/**
 * The names that the client puts into metadata, by format, without x-amz-meta-.
 * @see https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/s3-encryption/data-format/content-metadata.md
 */
import { refusal } from './refusal.ts';

export type Format = 'V1' | 'V2' | 'V3';

/** Fields of one object's metadata that the client wrote. */
export type Fields = Record<string, string>;

interface FormatNames {
  /** Holds the wrapped data key; which of the three is there tells the format. */
  key: string;
  required: readonly string[];
  optional: readonly string[];
}

export const FORMATS: Record<Format, FormatNames> = {
  V1: {
    key: 'x-amz-key',
    required: ['x-amz-iv', 'x-amz-matdesc'],
    // Not of the specification's V1, but its readers take them there.
    optional: ['x-amz-wrap-alg', 'x-amz-cek-alg'],
  },
  V2: {
    key: 'x-amz-key-v2',
    required: ['x-amz-iv', 'x-amz-matdesc', 'x-amz-wrap-alg', 'x-amz-cek-alg'],
    optional: ['x-amz-tag-len'],
  },
  V3: {
    key: 'x-amz-3',
    required: ['x-amz-c', 'x-amz-d', 'x-amz-i', 'x-amz-w'],
    optional: ['x-amz-m', 'x-amz-t'],
  },
};

/** What of V3 stays with the object when the rest is in an instruction file, so that its data key can be wrapped anew. */
export const V3_OF_THE_OBJECT = ['x-amz-c', 'x-amz-d', 'x-amz-i'];

/** Metadata of an instruction file itself; Ruby's V2 client, for one, leaves it out. */
export const INSTRUCTION_FILE_MARK = 'x-amz-crypto-instr-file';

export const PLAINTEXT_LENGTH = 'x-amz-unencrypted-content-length';

/** Of any format, and with the object wherever the rest is. */
export const DESCRIPTIVE = [PLAINTEXT_LENGTH, 'x-amz-unencrypted-content-md5', INSTRUCTION_FILE_MARK];

const ALL = new Set([...Object.values(FORMATS).flatMap(({ key, required, optional }) => [key, ...required, ...optional]), ...DESCRIPTIVE]);

/** Splits an object's metadata into what the client wrote and what the application wrote. */
export function splitMetadata(metadata: Record<string, string>): { client: Fields; application: Record<string, string> } {
  const entries = Object.entries(metadata);
  return {
    client: Object.fromEntries(entries.filter(([name]) => ALL.has(name))),
    application: Object.fromEntries(entries.filter(([name]) => !ALL.has(name))),
  };
}

/** The formats whose wrapped key is among the fields. */
export function formatsOf(fields: Fields): Format[] {
  return (Object.keys(FORMATS) as Format[]).filter((format) => Object.hasOwn(fields, FORMATS[format].key));
}

/** @throws SealdropError `source-not-decryptable` when there is no wrapped key, or one of several formats */
export function formatOf(fields: Fields): Format {
  const [format, ...others] = formatsOf(fields);
  if (format === undefined) throw refusal('it has no wrapped key');
  if (others.length > 0) throw refusal(`its metadata is of several formats: ${[format, ...others].join(', ')}`);
  return format;
}
