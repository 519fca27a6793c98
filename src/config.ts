/** What a function is told by its environment, parsed once per cold start. */
import { SealdropError } from './errors.ts';

/**
 * @param names the variables that this function needs
 * @returns their values by name
 * @throws SealdropError `config-invalid`, naming every variable that is missing or empty
 */
export function readConfig<Name extends string>(
  environment: Record<string, string | undefined>,
  names: readonly Name[],
): Record<Name, string> {
  const missing = names.filter((name) => !environment[name]);
  if (missing.length > 0) throw new SealdropError('config-invalid', `missing or empty in the environment: ${missing.join(', ')}`);
  return Object.fromEntries(names.map((name) => [name, environment[name]])) as Record<Name, string>;
}

/** @throws SealdropError `config-invalid` */
export function positiveInteger(name: string, text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new SealdropError('config-invalid', `${name} is "${text}"; it must be a positive whole number`);
  return Number(text);
}
