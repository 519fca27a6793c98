/** Does everything that a template refers to exist, and can it be made in some order? */
import type { Template } from '../../sandbox/cloudformation/index.ts';
import { attributesOf } from './template-spec.ts';
import { isRecord, record } from './template-values.ts';

interface Reference {
  name: string;
  /** `null` for `Ref` and `DependsOn`. */
  attribute: string | null;
}

/** Names that nothing has, attributes that a type lacks, conditions that are not there. */
export function referenceProblems(template: Template): string[] {
  const known = new Set([...Object.keys(template.Resources), ...Object.keys(template.Parameters)]);
  const problems = ({ name, attribute }: Reference, from: string): string[] => {
    if (name.startsWith('AWS::')) return attribute === null ? [] : [`${from} asks for an attribute of ${name}`];
    if (!known.has(name)) return [`${from} refers to ${name}, which is not there`];
    const type = template.Resources[name]?.Type;
    if (attribute === null || type === undefined) return attribute === null ? [] : [`${from} asks the parameter ${name} for ${attribute}`];
    return attributesOf(type)?.includes(attribute) === true ? [] : [`${from} asks ${name} for ${attribute}, which ${type} does not have`];
  };
  const resources = Object.entries(template.Resources).flatMap(([logicalId, { Properties, DependsOn, Condition }]) => [
    ...referencesIn(Properties).flatMap((reference) => problems(reference, logicalId)),
    ...DependsOn.filter((name) => !(name in template.Resources)).map((name) => `${logicalId} depends on ${name}, which is not there`),
    ...conditionsIn({ Condition, Properties }).flatMap((name) => missingCondition(template, name, logicalId)),
  ]);
  const outputs = Object.entries(template.Outputs).flatMap(([name, { Value, Condition }]) => [
    ...referencesIn(Value).flatMap((reference) => problems(reference, `the output ${name}`)),
    ...conditionsIn({ Condition, Value }).flatMap((condition) => missingCondition(template, condition, `the output ${name}`)),
  ]);
  return [...resources, ...outputs];
}

/** Cycles of references as paths, one at least of every knot; a resource that refers to itself is one. */
export function cycles(template: Template): string[] {
  const next = new Map(
    Object.entries(template.Resources).map(([logicalId, { Properties, DependsOn }]) => {
      const names = [...referencesIn(Properties).map(({ name }) => name), ...DependsOn];
      return [logicalId, [...new Set(names)].filter((name) => name in template.Resources)] as const;
    }),
  );
  const found = new Set<string>();
  const done = new Set<string>();
  const visit = (logicalId: string, path: readonly string[]): void => {
    const at = path.indexOf(logicalId);
    if (at >= 0) found.add(cycleName(path.slice(at)));
    if (at >= 0 || done.has(logicalId)) return;
    for (const each of next.get(logicalId) ?? []) visit(each, [...path, logicalId]);
    done.add(logicalId);
  };
  for (const logicalId of next.keys()) visit(logicalId, []);
  return [...found];
}

/** The same name wherever the walk came in. */
function cycleName(path: readonly string[]): string {
  const first = path.indexOf([...path].sort()[0] ?? '');
  const turned = [...path.slice(first), ...path.slice(0, first)];
  return [...turned, turned[0]].join(' → ');
}

function referencesIn(value: unknown): Reference[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (!isRecord(value)) return [];
  const inner = Object.values(value).flatMap(referencesIn);
  if (Object.keys(value).length !== 1) return inner;
  if (typeof value.Ref === 'string') return [{ name: value.Ref, attribute: null }];
  const path = value['Fn::GetAtt'];
  if (path !== undefined) return [parsed(Array.isArray(path) ? path.join('.') : String(path)), ...inner];
  const sub = value['Fn::Sub'];
  return sub === undefined ? inner : [...substitutions(sub), ...inner];
}

function substitutions(argument: unknown): Reference[] {
  const [text, own] = Array.isArray(argument) ? argument : [argument, {}];
  const names = [...String(text).matchAll(/\$\{([^!}][^}]*)\}/g)].map(([, name = '']) => name.trim());
  return names.filter((name) => !Object.hasOwn(record(own), name)).map(parsed);
}

function parsed(text: string): Reference {
  const dot = text.indexOf('.');
  return dot < 0 ? { name: text, attribute: null } : { name: text.slice(0, dot), attribute: text.slice(dot + 1) };
}

function conditionsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(conditionsIn);
  if (!isRecord(value)) return [];
  const own = [value.Condition, list0(value['Fn::If'])].filter((name) => typeof name === 'string');
  return [...own, ...Object.values(value).flatMap(conditionsIn)];
}

function list0(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : undefined;
}

function missingCondition(template: Template, name: string, from: string): string[] {
  return name in template.Conditions ? [] : [`${from} asks for the condition ${name}, which is not there`];
}
