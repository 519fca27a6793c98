/** Attributes that senders put beside a body, and the digest by which clients check both. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { invalidParameter } from './errors.ts';

const STRING_TRANSPORT = 1;
const BINARY_TRANSPORT = 2;
const MAX_ATTRIBUTES = 10;
const NAME = /^(?!\.)(?!.*\.\.)[A-Za-z0-9_.-]{1,256}(?<!\.)$/;
const TYPE = /^(String|Number|Binary)(\.[^.].*)?$/;

/** `BinaryValue` stays base64, as it is on the wire. */
export const messageAttributes = z.record(
  z.string(),
  z.strictObject({ DataType: z.string(), StringValue: z.string().optional(), BinaryValue: z.string().optional() }),
);

export interface MessageAttribute {
  DataType: string;
  StringValue?: string;
  BinaryValue?: string;
}
export type MessageAttributes = Record<string, MessageAttribute>;

/** Throws `InvalidParameterValue` for what SQS refuses; gives what is kept. */
export function parseMessageAttributes(given: z.output<typeof messageAttributes>): MessageAttributes {
  const names = Object.keys(given);
  if (names.length > MAX_ATTRIBUTES) {
    throw invalidParameter(`Number of message attributes [${names.length}] exceeds the allowed maximum [${MAX_ATTRIBUTES}].`);
  }
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, parseAttribute(name, value)]));
}

/** @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation */
export function md5OfAttributes(attributes: MessageAttributes): string | null {
  const names = Object.keys(attributes).sort();
  if (names.length === 0) return null;
  const digest = createHash('md5');
  for (const name of names) {
    const { DataType = '', StringValue, BinaryValue } = attributes[name] ?? {};
    const binary = DataType.startsWith('Binary');
    const value = binary ? Buffer.from(BinaryValue ?? '', 'base64') : Buffer.from(StringValue ?? '');
    digest.update(lengthPrefixed(Buffer.from(name))).update(lengthPrefixed(Buffer.from(DataType)));
    digest.update(Buffer.from([binary ? BINARY_TRANSPORT : STRING_TRANSPORT])).update(lengthPrefixed(value));
  }
  return digest.digest('hex');
}

/** Bytes that count towards the size of the message. */
export function sizeOfAttributes(attributes: z.output<typeof messageAttributes>): number {
  let size = 0;
  for (const [name, { DataType, StringValue, BinaryValue }] of Object.entries(attributes)) {
    size += Buffer.byteLength(name) + Buffer.byteLength(DataType) + Buffer.byteLength(StringValue ?? '');
    size += Buffer.from(BinaryValue ?? '', 'base64').length;
  }
  return size;
}

/** Those that `MessageAttributeNames` asks for: names, `All`, `.*` or a prefix such as `app.*`. */
export function selectAttributes(attributes: MessageAttributes, names: string[]): MessageAttributes {
  const wanted = (name: string) =>
    names.some((pattern) => pattern === 'All' || pattern === name || (pattern.endsWith('.*') && name.startsWith(pattern.slice(0, -2))));
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => wanted(name)));
}

function parseAttribute(name: string, value: z.output<typeof messageAttributes>[string]): MessageAttribute {
  if (!NAME.test(name) || /^(aws|amazon)\./i.test(name)) {
    throw invalidParameter(`The message attribute name '${name}' is invalid.`);
  }
  const type = TYPE.exec(value.DataType)?.[1];
  if (type === undefined || value.DataType.length > 256) {
    throw invalidParameter(
      `The type of message attribute '${name}' is invalid. You must use only the following supported type prefixes: Binary, Number, String.`,
    );
  }
  const text = type === 'Binary' ? value.BinaryValue : value.StringValue;
  if (!text)
    throw invalidParameter(
      `The message attribute '${name}' must contain a non-empty message attribute value for message attribute type '${type}'.`,
    );
  if (type === 'Number' && !Number.isFinite(Number(text)))
    throw invalidParameter(`Can't cast the value of message attribute '${name}' to a number.`);
  return type === 'Binary' ? { DataType: value.DataType, BinaryValue: text } : { DataType: value.DataType, StringValue: text };
}

function lengthPrefixed(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
