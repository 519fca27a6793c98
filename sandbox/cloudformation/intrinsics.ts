/**
 * Intrinsic functions of templates
 * (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html).
 * Not here: Fn::ImportValue, Fn::Transform, Fn::Cidr, Fn::GetAZs, Fn::ForEach, Fn::ToJsonString, Fn::Length.
 */
import { DeploymentError } from './deployment-error.ts';

/** What a value may refer to. The functions throw DeploymentError for a name that is not there. */
export interface Scope {
  /** A parameter, pseudo parameter or resource. */
  ref(name: string): unknown;
  getAtt(logicalId: string, attribute: string): unknown;
  findInMap(map: string, first: string, second: string): unknown;
  condition(name: string): boolean;
}

/** What `AWS::NoValue` comes to: the property is left out. */
export const NO_VALUE = Symbol('AWS::NoValue');

type Intrinsic = (argument: unknown, scope: Scope) => unknown;

const INTRINSICS: Record<string, Intrinsic> = {
  Ref: (argument, scope) => scope.ref(text(argument, 'Ref')),
  'Fn::GetAtt': (argument, scope) => {
    const [logicalId, attribute] = getAttPath(argument, scope);
    return scope.getAtt(logicalId, attribute);
  },
  'Fn::Sub': (argument, scope) => {
    const [template, given] = Array.isArray(argument) ? argument : [argument, {}];
    const variables = isRecord(given) ? given : {};
    return text(template, 'Fn::Sub').replace(/\$\{(!?)([^}]*)\}/g, (_whole, literal: string, name: string) => {
      if (literal === '!') return `\${${name}}`;
      const key = name.trim();
      if (Object.hasOwn(variables, key)) return scalar(resolve(variables[key], scope), 'Fn::Sub');
      const dot = key.indexOf('.');
      return scalar(dot < 0 ? scope.ref(key) : scope.getAtt(key.slice(0, dot), key.slice(dot + 1)), 'Fn::Sub');
    });
  },
  'Fn::Join': (argument, scope) => {
    const [separator, values] = pair(argument, 'Fn::Join');
    return list(resolve(values, scope), 'Fn::Join')
      .map((value) => scalar(value, 'Fn::Join'))
      .join(text(separator, 'Fn::Join'));
  },
  'Fn::Split': (argument, scope) => {
    const [separator, value] = pair(argument, 'Fn::Split');
    return scalar(resolve(value, scope), 'Fn::Split').split(text(separator, 'Fn::Split'));
  },
  'Fn::Select': (argument, scope) => {
    const [index, values] = pair(argument, 'Fn::Select');
    const items = list(resolve(values, scope), 'Fn::Select');
    const at = Number(resolve(index, scope));
    if (!Number.isInteger(at) || at < 0 || at >= items.length)
      throw new DeploymentError(`Fn::Select: there is no item ${at} of ${items.length}`);
    return items[at];
  },
  'Fn::FindInMap': (argument, scope) => {
    const [map, first, second] = list(argument, 'Fn::FindInMap').map((value) => scalar(resolve(value, scope), 'Fn::FindInMap'));
    return scope.findInMap(map ?? '', first ?? '', second ?? '');
  },
  'Fn::Base64': (argument, scope) => Buffer.from(scalar(resolve(argument, scope), 'Fn::Base64')).toString('base64'),
  'Fn::If': (argument, scope) => {
    const [name, yes, no] = list(argument, 'Fn::If');
    return resolve(scope.condition(text(name, 'Fn::If')) ? yes : no, scope);
  },
  'Fn::Equals': (argument, scope) => {
    const [one, other] = pair(argument, 'Fn::Equals');
    return scalar(resolve(one, scope), 'Fn::Equals') === scalar(resolve(other, scope), 'Fn::Equals');
  },
  'Fn::And': (argument, scope) => list(argument, 'Fn::And').every((part) => isTrue(part, scope)),
  'Fn::Or': (argument, scope) => list(argument, 'Fn::Or').some((part) => isTrue(part, scope)),
  'Fn::Not': (argument, scope) => !isTrue(list(argument, 'Fn::Not')[0], scope),
};

/** The value with every intrinsic function replaced by its result. @throws DeploymentError */
export function resolve(value: unknown, scope: Scope): unknown {
  if (Array.isArray(value)) return value.map((item) => resolve(item, scope)).filter((item) => item !== NO_VALUE);
  if (!isRecord(value)) return value;
  const call = intrinsicOf(value);
  if (call !== null) return call.run(call.argument, scope);
  const entries = Object.entries(value).map(([name, member]) => [name, resolve(member, scope)] as const);
  return Object.fromEntries(entries.filter(([, member]) => member !== NO_VALUE));
}

/** A condition's expression, also `{ Condition: name }`. */
export function isTrue(expression: unknown, scope: Scope): boolean {
  if (isRecord(expression) && typeof expression.Condition === 'string' && Object.keys(expression).length === 1)
    return scope.condition(expression.Condition);
  const value = resolve(expression, scope);
  if (typeof value === 'boolean') return value;
  throw new DeploymentError(`A condition must be true or false, not ${JSON.stringify(expression)}`);
}

/** Every name that a value refers to: resources, parameters and pseudo parameters alike. */
export function referencesOf(value: unknown): Set<string> {
  const found = new Set<string>();
  collect(value, found);
  return found;
}

function collect(value: unknown, found: Set<string>): void {
  if (Array.isArray(value)) for (const item of value) collect(item, found);
  if (!isRecord(value)) return;
  if (typeof value.Ref === 'string') found.add(value.Ref);
  const path = value['Fn::GetAtt'];
  if (path !== undefined) found.add(String(Array.isArray(path) ? path[0] : path).split('.')[0] ?? '');
  const sub = value['Fn::Sub'];
  if (sub !== undefined) {
    const [template, variables] = Array.isArray(sub) ? sub : [sub, {}];
    const own = isRecord(variables) ? variables : {};
    for (const [, name] of String(template).matchAll(/\$\{([^!}][^}]*)\}/g)) {
      const key = (name ?? '').trim();
      if (!Object.hasOwn(own, key)) found.add(key.split('.')[0] ?? '');
    }
  }
  for (const member of Object.values(value)) collect(member, found);
}

function intrinsicOf(value: Record<string, unknown>): { run: Intrinsic; argument: unknown } | null {
  const [name, ...others] = Object.keys(value);
  if (name === undefined || others.length > 0) return null;
  const run = Object.hasOwn(INTRINSICS, name) ? INTRINSICS[name] : undefined;
  if (run !== undefined) return { run, argument: value[name] };
  if (name.startsWith('Fn::'))
    throw new DeploymentError(`The sandbox does not know ${name}. It knows: ${Object.keys(INTRINSICS).join(', ')}.`);
  return null;
}

function getAttPath(argument: unknown, scope: Scope): [string, string] {
  if (typeof argument === 'string') {
    const dot = argument.indexOf('.');
    if (dot > 0) return [argument.slice(0, dot), argument.slice(dot + 1)];
  }
  const [logicalId, attribute] = Array.isArray(argument) ? argument : [];
  if (typeof logicalId === 'string' && attribute !== undefined) return [logicalId, scalar(resolve(attribute, scope), 'Fn::GetAtt')];
  throw new DeploymentError(`Fn::GetAtt takes a resource and an attribute, not ${JSON.stringify(argument)}`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown, where: string): string {
  if (typeof value === 'string') return value;
  throw new DeploymentError(`${where} takes text, not ${JSON.stringify(value)}`);
}

function scalar(value: unknown, where: string): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new DeploymentError(`${where}: ${JSON.stringify(value) ?? String(value)} is no text`);
}

function list(value: unknown, where: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw new DeploymentError(`${where} takes a list, not ${JSON.stringify(value)}`);
}

function pair(value: unknown, where: string): [unknown, unknown] {
  const items = list(value, where);
  if (items.length !== 2) throw new DeploymentError(`${where} takes two values, not ${items.length}`);
  return [items[0], items[1]];
}
