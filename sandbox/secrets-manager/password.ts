/** Random passwords, as GetRandomPassword and CloudFormation's `GenerateSecretString` make them. */
import { randomInt } from 'node:crypto';
import { z } from 'zod';
import { invalidParameter, invalidRequest } from './errors.ts';

const LOWERCASE = 'abcdefghijklmnopqrstuvwxyz';
const UPPERCASE = LOWERCASE.toUpperCase();
const NUMBERS = '0123456789';
const PUNCTUATION = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';
const DEFAULT_LENGTH = 32;

/** @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html */
export const passwordOptions = z.strictObject({
  PasswordLength: z.int().min(1).max(4096).default(DEFAULT_LENGTH),
  ExcludeCharacters: z.string().max(4096).default(''),
  ExcludeNumbers: z.boolean().default(false),
  ExcludePunctuation: z.boolean().default(false),
  ExcludeUppercase: z.boolean().default(false),
  ExcludeLowercase: z.boolean().default(false),
  IncludeSpace: z.boolean().default(false),
  RequireEachIncludedType: z.boolean().default(true),
});

/** @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-secretsmanager-secret-generatesecretstring.html */
export const secretStringOptions = passwordOptions.extend({
  SecretStringTemplate: z.string().optional(),
  GenerateStringKey: z.string().optional(),
});

/** Throws AwsError (`InvalidParameterException`, `InvalidRequestException`) when no password can be as asked. */
export function generatePassword(given: z.input<typeof passwordOptions>): string {
  const options = passwordOptions.parse(given);
  const types = characterTypes(options);
  if (types.length === 0) throw invalidRequest('You excluded all characters: no password can be generated.');
  const required = options.RequireEachIncludedType ? types.map(pick) : [];
  if (required.length > options.PasswordLength) {
    throw invalidParameter(`Password length ${options.PasswordLength} is too short based on the required types.`);
  }
  const all = types.join('');
  const rest = Array.from({ length: options.PasswordLength - required.length }, () => pick(all));
  return shuffle([...required, ...rest]).join('');
}

/** The value of a secret that a template lets generate: a password, or the template's JSON with the password under its key. */
export function generateSecretString(given: z.input<typeof secretStringOptions>): string {
  const { SecretStringTemplate: template, GenerateStringKey: key, ...options } = secretStringOptions.parse(given);
  const password = generatePassword(options);
  if (template === undefined && key === undefined) return password;
  if (template === undefined || key === undefined) {
    throw invalidRequest('SecretStringTemplate and GenerateStringKey must be given together.');
  }
  const values: unknown = JSON.parse(template);
  if (typeof values !== 'object' || values === null) throw invalidRequest('SecretStringTemplate must be a JSON object.');
  return JSON.stringify({ ...values, [key]: password });
}

/** Each type with what is left of it; a type of which nothing is left is not included. */
function characterTypes(options: z.output<typeof passwordOptions>): string[] {
  const types = [
    options.ExcludeLowercase ? '' : LOWERCASE,
    options.ExcludeUppercase ? '' : UPPERCASE,
    options.ExcludeNumbers ? '' : NUMBERS,
    options.ExcludePunctuation ? '' : PUNCTUATION,
    options.IncludeSpace ? ' ' : '',
  ];
  const without = (characters: string) => [...characters].filter((character) => !options.ExcludeCharacters.includes(character)).join('');
  return types.map(without).filter((characters) => characters !== '');
}

function pick(characters: string): string {
  return characters.charAt(randomInt(characters.length));
}

function shuffle(characters: string[]): string[] {
  for (let last = characters.length - 1; last > 0; last -= 1) {
    const other = randomInt(last + 1);
    [characters[last], characters[other]] = [characters[other] ?? '', characters[last] ?? ''];
  }
  return characters;
}
