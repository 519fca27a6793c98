/** What a resource type is to the deployment, and the words in which its properties are described. */
import { z } from 'zod';
import type { ApiDraft } from './api-draft.ts';
import type { Services } from './services.ts';

/** A resource as it was deployed. */
export interface Deployed {
  physicalId: string;
  attributes: Record<string, string>;
}

export interface ResourceInput<Properties> {
  logicalId: string;
  properties: Properties;
  /** `null`: it is new. */
  previous: Deployed | null;
  /** Names of the properties that differ from the last deployment; empty for a new resource. */
  changed: ReadonlySet<string>;
  /** `<stack>-<logical id>-<suffix>`: a name for a resource without one, the same at every deployment. */
  generatedName: string;
  services: Services;
  api: ApiDraft;
  /** Folder of the functions' zip files. */
  packageDir: string;
}

export interface Definition {
  schema: z.ZodObject;
  /** Properties of which a change makes a new resource. */
  replacedBy: readonly string[];
  /** The property that names it: with the same name there cannot be a second one. */
  nameProperty: string | null;
  /** Whether removing it destroys what users stored. */
  holdsData: boolean;
  /** Lives in memory: applied at every deployment, changed or not. */
  volatile: boolean;
  /** Creates the resource or brings it to its properties; called again after a crash, so it must accept what is there. */
  apply(input: ResourceInput<unknown>): Deployed | Promise<Deployed>;
  remove(deployed: Deployed, services: Services): void | Promise<void>;
}

/** Ties a definition's schema to what it does. */
export function define<Schema extends z.ZodObject>(definition: {
  schema: Schema;
  replacedBy?: readonly (keyof z.output<Schema> & string)[];
  nameProperty?: keyof z.output<Schema> & string;
  holdsData?: boolean;
  volatile?: boolean;
  apply(input: ResourceInput<z.output<Schema>>): Deployed | Promise<Deployed>;
  remove?(deployed: Deployed, services: Services): void | Promise<void>;
}): Definition {
  const { schema } = definition;
  return {
    replacedBy: [],
    nameProperty: null,
    holdsData: false,
    volatile: false,
    remove: () => {},
    ...definition,
    apply: (input) => definition.apply({ ...input, properties: schema.parse(input.properties) }),
  };
}

/** Templates write numbers and flags as text as well. */
export const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
export const integer = z.union([z.number(), z.string().regex(/^-?\d+$/)]).transform(Number);
export const number = z.union([z.number(), z.string().regex(/^-?\d+(\.\d+)?$/)]).transform(Number);
export const flag = z.union([z.boolean(), z.literal(['true', 'false']).transform((value) => value === 'true')]);
export const texts = z.union([text.transform((value) => [value]), z.array(text)]);
/** A policy document is kept as it is. */
export const policyDocument = z.record(z.string(), z.unknown());
export const tags = z.array(z.strictObject({ Key: text, Value: text }));
