/** Are a template's types, properties and attributes those that CloudFormation has? Asked of its own database, offline. */
import { loadAwsServiceSpecSync } from '@aws-cdk/aws-service-spec';
import type { PropertyType, Resource, ResourceProperties, SpecDatabase } from '@aws-cdk/service-spec-types';
import type { Template } from '../../sandbox/cloudformation/index.ts';
import { isRecord } from './template-values.ts';

let database: SpecDatabase | null = null;

/** What CloudFormation would not know or not take: each with the resource and the path of the property. */
export function specProblems(template: Template): string[] {
  return Object.entries(template.Resources).flatMap(([logicalId, { Type, Properties }]) => {
    const resource = resourceType(Type);
    return resource === null ? [`${logicalId}: there is no type ${Type}`] : membersOf(`${logicalId}`, Properties, resource.properties);
  });
}

/** `null`: there is no such type. */
export function attributesOf(type: string): string[] | null {
  const resource = resourceType(type);
  return resource === null ? null : Object.keys(resource.attributes);
}

function spec(): SpecDatabase {
  database ??= loadAwsServiceSpecSync();
  return database;
}

function resourceType(type: string): Resource | null {
  return spec().lookup('resource', 'cloudFormationType', 'equals', type)[0] ?? null;
}

function membersOf(path: string, value: Record<string, unknown>, known: ResourceProperties): string[] {
  const missing = Object.entries(known)
    .filter(([name, { required }]) => required === true && value[name] === undefined)
    .map(([name]) => `${path}.${name} is missing`);
  const wrong = Object.entries(value).flatMap(([name, member]) => {
    const property = known[name];
    if (property === undefined) return [`${path}.${name} is not known. There are: ${Object.keys(known).join(', ')}`];
    return fitting(`${path}.${name}`, member, [property.type, ...(property.previousTypes ?? [])]);
  });
  return [...missing, ...wrong];
}

/** The complaints of the first type when none fits: the others are what it was in the past. */
function fitting(path: string, value: unknown, types: readonly PropertyType[]): string[] {
  const branches = branchesOf(value);
  if (branches !== null) return branches.flatMap((branch) => fitting(path, branch, types));
  const complaints = types.map((type) => misfit(path, value, type));
  return complaints.some((complaint) => complaint.length === 0) ? [] : (complaints[0] ?? []);
}

function misfit(path: string, value: unknown, type: PropertyType): string[] {
  switch (type.type) {
    case 'json':
      return isRecord(value) || Array.isArray(value) ? [] : [`${path} must be an object`];
    case 'string':
      return isScalar(value) ? oneOf(path, value, type.allowedValues) : [`${path} must be text`];
    case 'date-time':
      return isScalar(value) ? [] : [`${path} must be a time`];
    case 'integer':
      return /^-?\d+$/.test(String(value)) ? oneOf(path, value, type.allowedValues) : [`${path} must be a whole number`];
    case 'number':
      return value !== '' && Number.isFinite(Number(value)) && isScalar(value) ? [] : [`${path} must be a number`];
    case 'boolean':
      return ['true', 'false'].includes(String(value)) ? [] : [`${path} must be true or false`];
    case 'null':
      return value === null ? [] : [`${path} must be null`];
    case 'tag':
      return membersOfRecord(path, value, {
        Key: { type: { type: 'string' }, required: true },
        Value: { type: { type: 'string' }, required: true },
      });
    case 'array':
      return Array.isArray(value)
        ? value.flatMap((item, index) => fitting(`${path}.${index}`, item, [type.element]))
        : [`${path} must be a list`];
    case 'map':
      return isRecord(value)
        ? Object.entries(value).flatMap(([name, item]) => fitting(`${path}.${name}`, item, [type.element]))
        : [`${path} must be a map`];
    case 'union':
      return fitting(path, value, type.types);
    case 'ref':
      return membersOfRecord(path, value, spec().get('typeDefinition', type.reference.$ref).properties);
    default:
      return type satisfies never;
  }
}

function membersOfRecord(path: string, value: unknown, known: ResourceProperties): string[] {
  return isRecord(value) ? membersOf(path, value, known) : [`${path} must be an object`];
}

/** What stands in the branches of `Fn::If`; none for the other intrinsic functions, whose result nobody knows before the deployment. */
function branchesOf(value: unknown): unknown[] | null {
  if (!isRecord(value)) return null;
  const [name, ...others] = Object.keys(value);
  if (name === undefined || others.length > 0) return null;
  const condition = value['Fn::If'];
  if (Array.isArray(condition)) return condition.slice(1);
  return name === 'Ref' || name.startsWith('Fn::') ? [] : null;
}

function isScalar(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

function oneOf(path: string, value: unknown, allowed: readonly (string | number)[] | undefined): string[] {
  if (allowed === undefined || allowed.some((each) => String(each) === String(value))) return [];
  return [`${path} is ${JSON.stringify(value)}, and may be: ${allowed.join(', ')}`];
}
