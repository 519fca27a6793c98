/** Reads a compiled template's values without deploying it. */
import type { ResourceTemplate, Template } from '../../sandbox/cloudformation/template.ts';

/** The longest that AWS has of each, so that what fits here fits everywhere. */
const PSEUDO: Record<string, string> = {
  'AWS::AccountId': '123456789012',
  'AWS::Region': 'ap-southeast-1',
  'AWS::Partition': 'aws',
  'AWS::URLSuffix': 'amazonaws.com',
  'AWS::StackName': 'sealdrop',
};

export interface Found {
  logicalId: string;
  properties: Record<string, unknown>;
  resource: ResourceTemplate;
}

/** Resources of a type, their values rendered. */
export function ofType(template: Template, type: string): Found[] {
  return Object.entries(template.Resources)
    .filter(([, { Type }]) => Type === type)
    .map(([logicalId, resource]) => ({ logicalId, properties: record(rendered(resource.Properties)), resource }));
}

/** Intrinsic functions by what they come to; a reference to a resource or parameter is `<Name>` or `<Name.Attribute>`. */
export function rendered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rendered);
  if (!isRecord(value)) return value;
  const [name, ...others] = Object.keys(value);
  if (others.length > 0 || name === undefined) return renderedMembers(value);
  const argument = value[name];
  switch (name) {
    case 'Ref':
      return reference(String(argument));
    case 'Fn::GetAtt':
      return reference(Array.isArray(argument) ? argument.join('.') : String(argument));
    case 'Fn::Sub': {
      const [text, own] = Array.isArray(argument) ? argument : [argument, {}];
      return substituted(String(text), record(own));
    }
    case 'Fn::Join': {
      const [separator, parts] = Array.isArray(argument) ? argument : [];
      return list(parts).map(rendered).join(String(separator));
    }
    default:
      return renderedMembers(value);
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The members of an object, none of anything else. */
export function record(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}

/** A list as it is, nothing as an empty one, anything else as a list of one: as policies write theirs. */
export function list(value: unknown): unknown[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

/** The same, of text. */
export function texts(value: unknown): string[] {
  return list(value).map(String);
}

function renderedMembers(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, rendered(member)]));
}

function substituted(text: string, own: Record<string, unknown>): string {
  return text.replace(/\$\{(!?)([^}]*)\}/g, (_whole, literal: string, name: string) => {
    if (literal === '!') return `\${${name}}`;
    return Object.hasOwn(own, name) ? String(rendered(own[name])) : reference(name);
  });
}

function reference(name: string): string {
  return PSEUDO[name] ?? `<${name}>`;
}
