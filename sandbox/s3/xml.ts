/** The XML of S3's requests and answers. */
import { XMLParser } from 'fast-xml-parser';
import { escapeXml } from '../wire/error-response.ts';
import { malformedXml } from './errors.ts';

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';
/** Elements that may occur more than once; as arrays even when there is one. */
const REPEATED = new Set([
  'Rule',
  'Tag',
  'Object',
  'Part',
  'QueueConfiguration',
  'TopicConfiguration',
  'CloudFunctionConfiguration',
  'Event',
  'FilterRule',
  'EncryptionType',
  'Transition',
  'NoncurrentVersionTransition',
]);

/** What an element holds: text, members in order, or (an array) the element again and again. `null` and `undefined` leave it out. */
export type XmlValue = string | number | boolean | null | undefined | XmlMembers | XmlValue[];
export interface XmlMembers {
  [name: string]: XmlValue;
}

/** A whole document of S3's namespace. */
export function document(root: string, members: XmlMembers): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${NAMESPACE}">${inside(members)}</${root}>`;
}

const parser = new XMLParser({
  ignoreAttributes: true,
  removeNSPrefix: true,
  parseTagValue: false,
  trimValues: false,
  // Named entities and character references, but no DTD: a request must not be able to define entities.
  processEntities: true,
  htmlEntities: false,
  isArray: (name) => REPEATED.has(name),
});

/**
 * Parses a request body whose root must be `root`; text stays text, white space between elements is dropped.
 * Throws AwsError `MalformedXML`.
 */
export function parseDocument(body: Buffer, root: string): unknown {
  const text = body.toString('utf8');
  if (text.includes('<!DOCTYPE')) throw malformedXml();
  let parsed: unknown;
  try {
    parsed = parser.parse(text, true);
  } catch {
    throw malformedXml();
  }
  if (typeof parsed !== 'object' || parsed === null || !(root in parsed)) throw malformedXml();
  return tidy((parsed as Record<string, unknown>)[root]);
}

function inside(value: XmlValue): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'object') return escapeXml(String(value));
  if (Array.isArray(value)) return value.map(inside).join('');
  let text = '';
  for (const [name, member] of Object.entries(value)) {
    if (member === null || member === undefined) continue;
    if (Array.isArray(member)) for (const each of member) text += `<${name}>${inside(each)}</${name}>`;
    else text += `<${name}>${inside(member)}</${name}>`;
  }
  return text;
}

function tidy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(tidy);
  if (typeof value !== 'object' || value === null) return value === '' ? {} : value;
  const members: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    if (name !== '#text') members[name] = typeof member === 'object' ? tidy(member) : member;
  }
  return members;
}
