/** From what Serverless was asked for to what the stack is built from. */
import { decryptsSources, sourceKeyArns } from '../src/policy/keys.ts';
import { compilePolicy } from './policy.ts';
import { readSettings, SETTING_NAMES, type SettingName } from './settings.ts';
import { shownError } from './shown-error.ts';
import type { Stack } from './stack.ts';
import { checkedStage } from './stage.ts';

/** What Serverless hands to a configuration file's function. */
export interface ServerlessVariables {
  options: { stage?: string; param?: string[] | null };
  /** Takes a variable without its braces. */
  resolveVariable(variable: string): Promise<unknown>;
  resolveConfigurationProperty(path: string[]): Promise<unknown>;
}

/** @throws an error without a stack trace: a wrong stage, parameter or policy */
export async function readStack({ options, resolveVariable, resolveConfigurationProperty }: ServerlessVariables): Promise<Stack> {
  const stage = checkedStage(options.stage ?? 'dev');
  const region = String(await resolveConfigurationProperty(['provider', 'region']));
  const found = await Promise.all(SETTING_NAMES.map(async (name) => [name, await resolveVariable(`param:${name}, null`)] as const));
  const names = [...commandLineNames(options.param), ...(await configuredNames(resolveConfigurationProperty, stage))];
  // One entry for each of SETTING_NAMES.
  const values = Object.fromEntries(found) as Record<SettingName, unknown>;
  const settings = readSettings({ stage, region, values, names });
  const policy = compilePolicy(settings.policy, region);
  if (decryptsSources(policy) && sourceKeyArns(policy).length === 0 && settings.sourceKeySecret === null) {
    throw shownError(
      `${settings.policy}: sources are to be decrypted, and nothing opens any: name KMS keys under s3EncryptionClient, or give sourceKeySecret`,
    );
  }
  return { stage, region, settings, policy };
}

function commandLineNames(param: string[] | null | undefined): string[] {
  return (param ?? []).map((given) => given.slice(0, given.indexOf('=')));
}

async function configuredNames(resolve: ServerlessVariables['resolveConfigurationProperty'], stage: string): Promise<string[]> {
  const blocks = await Promise.all(['default', stage].map((name) => resolve(['params', name])));
  return blocks.flatMap((block) => (typeof block === 'object' && block !== null ? Object.keys(block) : []));
}
