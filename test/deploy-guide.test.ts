/** The guide to deploying says what there is: its parameters, its unverified points, its alarms. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ERROR_CODES } from '../src/errors.ts';
import { SETTING_NAMES } from '../stack/settings.ts';

const PROJECT = join(import.meta.dirname, '..');
const guide = readFileSync(join(PROJECT, 'docs/deploy.md'), 'utf8');
const { params } = parse(readFileSync(join(PROJECT, 'serverless.yml'), 'utf8'), { logLevel: 'silent' }) as {
  params: Record<string, Record<string, unknown>>;
};

function section(heading: string): string {
  const found = guide.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  if (found === undefined) throw new Error(`the guide has no section "${heading}"`);
  return found;
}

/** First and second cells of a section's table. */
function rows(heading: string): [string, string][] {
  return [...section(heading).matchAll(/^\| (.+?) \| (.+?) \|/gm)].slice(1).map(([, first = '', second = '']) => [first, second]);
}

const named = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);

describe('the guide to deploying', () => {
  it('lists every parameter once, and no other', () => {
    expect(
      rows('Parameters')
        .flatMap(([names]) => named(names))
        .sort(),
    ).toEqual([...SETTING_NAMES].sort());
  });

  it.each(Object.entries(params.default ?? {}))('says the default of %s', (name, value) => {
    const [, says = ''] = rows('Parameters').find(([names]) => named(names).includes(name)) ?? [];
    expect(named(says).concat(says.split(/[ ;,]/))).toContain(String(value));
  });

  it.each(['dev', 'prod'])('says what is different in %s', (stage) => {
    for (const [name, value] of Object.entries(params[stage] ?? {})) {
      const [, says = ''] = rows('Parameters').find(([names]) => named(names).includes(name)) ?? [];
      expect(says, name).toContain(`\`${stage}\``);
      if (name !== 'oidcIssuer') expect(says, name).toContain(String(value));
    }
  });

  it('names only error codes that there are', () => {
    const codes = named(section('When something is wrong')).filter((word) => /^[a-z]+(-[a-z]+)+$/.test(word) && word !== 'policy.yml');
    for (const code of codes) expect(ERROR_CODES).toContain(code);
    expect(codes.length).toBeGreaterThan(3);
  });

  it('gives every command the stage and the issuer that deploying needs', () => {
    const deployments = [...guide.matchAll(/npx serverless deploy [^`]*?(?=\n(?! )|`)/g)].map(([command]) => command);
    expect(deployments.length).toBeGreaterThan(2);
    for (const command of deployments.filter((text) => !text.includes('…')))
      expect(command).toMatch(/--stage \S+ .*--param oidcIssuer=https:/s);
  });
});
