/** A compiled template, as `serverless package` writes it. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { DeploymentError } from './deployment-error.ts';

const names = z.union([z.string().transform((name) => [name]), z.array(z.string())]);
const policy = z.enum(['Delete', 'Retain', 'RetainExceptOnCreate', 'Snapshot']);

const templateSchema = z.strictObject({
  AWSTemplateFormatVersion: z.string().optional(),
  Description: z.string().optional(),
  Metadata: z.unknown().optional(),
  Parameters: z
    .record(
      z.string(),
      z.strictObject({
        Type: z.string(),
        Default: z.union([z.string(), z.number()]).optional(),
        Description: z.string().optional(),
        AllowedValues: z.array(z.union([z.string(), z.number()])).optional(),
        AllowedPattern: z.string().optional(),
        ConstraintDescription: z.string().optional(),
        MinLength: z.coerce.number().optional(),
        MaxLength: z.coerce.number().optional(),
        MinValue: z.coerce.number().optional(),
        MaxValue: z.coerce.number().optional(),
        NoEcho: z.coerce.boolean().optional(),
      }),
    )
    .default({}),
  Mappings: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.unknown()))).default({}),
  Conditions: z.record(z.string(), z.unknown()).default({}),
  Resources: z.record(
    z.string(),
    z.strictObject({
      Type: z.string(),
      Properties: z.record(z.string(), z.unknown()).default({}),
      DependsOn: names.default([]),
      Condition: z.string().optional(),
      DeletionPolicy: policy.optional(),
      UpdateReplacePolicy: policy.optional(),
      Metadata: z.unknown().optional(),
    }),
  ),
  Outputs: z
    .record(
      z.string(),
      z.strictObject({
        Value: z.unknown(),
        Description: z.string().optional(),
        Condition: z.string().optional(),
        Export: z.strictObject({ Name: z.unknown() }).optional(),
      }),
    )
    .default({}),
});

export type Template = z.infer<typeof templateSchema>;
export type ResourceTemplate = Template['Resources'][string];

/** @throws DeploymentError when the file is missing or no template that this sandbox understands, naming the place. */
export function readTemplate(path: string): Template {
  try {
    return parseTemplate(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    if (error instanceof DeploymentError) throw error;
    throw new DeploymentError(`The template ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

/** @throws DeploymentError naming the place. */
export function parseTemplate(value: unknown): Template {
  const parsed = templateSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `  ${path.join('.') || 'template'}: ${message}`);
  throw new DeploymentError(`The template is not valid:\n${problems.join('\n')}`);
}

/** The value of each parameter. @throws DeploymentError for unknown, missing and refused values, all at once. */
export function resolveParameters(template: Template, given: Record<string, string>): Record<string, unknown> {
  const problems = Object.keys(given)
    .filter((name) => !(name in template.Parameters))
    .map((name) => `${name} is no parameter of the template. It has: ${Object.keys(template.Parameters).join(', ') || 'none'}.`);
  const values: Record<string, unknown> = {};
  for (const [name, parameter] of Object.entries(template.Parameters)) {
    const value = given[name] ?? parameter.Default;
    if (value === undefined) {
      problems.push(`${name} has no value and no default.`);
      continue;
    }
    const text = String(value);
    if (parameter.AllowedValues !== undefined && !parameter.AllowedValues.some((allowed) => String(allowed) === text)) {
      problems.push(`${name} must be one of ${parameter.AllowedValues.join(', ')}.`);
    }
    if (parameter.AllowedPattern !== undefined && !new RegExp(`^(?:${parameter.AllowedPattern})$`).test(text)) {
      problems.push(
        `${name} must match ${parameter.AllowedPattern}.${parameter.ConstraintDescription ? ` ${parameter.ConstraintDescription}` : ''}`,
      );
    }
    values[name] =
      parameter.Type === 'CommaDelimitedList' || parameter.Type.startsWith('List<') ? text.split(',').map((item) => item.trim()) : text;
  }
  if (problems.length > 0) throw new DeploymentError(`The parameters are not valid:\n  ${problems.join('\n  ')}`);
  return values;
}
