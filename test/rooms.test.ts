/** The linter holds the rooms apart: https://biomejs.dev/linter/rules/no-restricted-imports/ */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

interface SourceFile {
  path: string;
  text: string;
}

const ENVIRONMENT = 'export const bucket = process.env.TARGET_BUCKET;\n';
const PURE = ['src/policy', 'src/encryption', 'src/events', 'src/http'];
const SURROUNDINGS = ['handlers', 'cli', 'sandbox', 'test', 'bench', 'stack', 'local'];

let count = 0;

/** A file of its own in that folder. */
function file(room: string, text: string): SourceFile {
  count += 1;
  return { path: `${room}/file-${count}.ts`, text };
}

const importing = (room: string, specifier: string) => file(room, `import { it } from '${specifier}';\n\nexport const used = it;\n`);
const pure = (...specifiers: string[]) => specifiers.flatMap((specifier) => PURE.map((room) => importing(room, specifier)));

/** What is forbidden → files that do it. */
const OFFENCES: Record<string, SourceFile[]> = {
  'a pure room that does input or output': pure('node:fs', 'node:fs/promises', 'node:http', 'node:https', 'node:net', 'node:child_process'),
  'a pure room that imports the SDK': pure('@aws-sdk/client-s3', '@smithy/types', '@middy/core', '@aws-lambda-powertools/logger'),
  'a pure room that imports a use case': pure('../encrypt-objects.ts', '../runtime.ts', '../config.ts'),
  'a pure room that imports keys, copy or audit': pure('../keys/secret-keys.ts', '../copy/copy-object.ts', '../audit/trail.ts'),
  'a copy plan that is not pure': [{ ...importing('src/copy', '@aws-sdk/client-s3'), path: 'src/copy/plan.ts' }],
  'a use case that imports the runtime': [
    importing('src', './runtime.ts'),
    importing('src/keys', '../runtime.ts'),
    file('src', "export type { it } from './runtime.ts';\n"),
    file('src', "export const it = () => import('./runtime.ts');\n"),
  ],
  'a product that imports its surroundings': SURROUNDINGS.flatMap((room) => [
    importing('src', `../${room}/x.ts`),
    importing('src/audit', `../../${room}/x.ts`),
    ...pure(`../../${room}/x.ts`),
  ]),
  'a product or a handler that reads the environment': [...PURE, 'src', 'src/keys', 'handlers'].map((room) => file(room, ENVIRONMENT)),
  'a handler that imports anything but use cases and the runtime': [
    ...['sandbox', 'cli', 'test', 'bench', 'stack', 'local'].map((room) => importing('handlers', `../${room}/x.ts`)),
    importing('handlers', './other.ts'),
    importing('handlers', '@aws-sdk/client-s3'),
  ],
  'somebody who imports the process to read it': ['src', 'src/http', 'handlers'].map((room) => importing(room, 'node:process')),
  'somebody who imports a command': ['src', 'handlers', 'sandbox', 'stack', 'bench', 'local'].map((room) => importing(room, '../cli/x.ts')),
  'clients of the stack that know more than any client': ['src', 'handlers', 'sandbox', 'stack', 'bench', 'test'].map((room) =>
    importing('local', `../${room}/x.ts`),
  ),
  'somebody who imports a handler': ['src', 'cli', 'sandbox', 'stack', 'bench', 'local'].map((room) => importing(room, '../handlers/x.ts')),
  'a sandbox that imports the product, and would test it against itself': ['src', 'handlers', 'cli', 'stack', 'test', 'bench'].flatMap(
    (room) => [importing('sandbox', `../${room}/x.ts`), importing('sandbox/s3', `../../${room}/x.ts`)],
  ),
  'a sandbox that imports the SDK': [importing('sandbox', '@aws-sdk/client-s3'), importing('sandbox/s3', '@smithy/types')],
  'somebody but tests, the CLI and the bench who imports the sandbox': ['src', 'handlers', 'stack'].map((room) =>
    importing(room, '../sandbox/x.ts'),
  ),
  'an expectation of AWS that knows the product or the sandbox': ['src', 'handlers', 'sandbox', 'cli', 'stack', 'local'].flatMap((room) => [
    importing('test/conformance', `../../${room}/x.ts`),
    importing('test/conformance/s3', `../../../${room}/x.ts`),
  ]),
  'a CLI or packaging that imports tests': [importing('cli', '../test/x.ts'), importing('stack', '../test/x.ts')],
};

const CLEAN: SourceFile[] = [
  importing('src/policy', '../errors.ts'),
  importing('src/http', '../policy/schema.ts'),
  importing('src/encryption', 'node:crypto'),
  importing('src/copy', '@aws-sdk/client-s3'),
  importing('src', './keys/secret-keys.ts'),
  { path: 'src/runtime.ts', text: ENVIRONMENT },
  importing('handlers', '../src/runtime.ts'),
  importing('cli', '../src/runtime.ts'),
  importing('cli', '../sandbox/index.ts'),
  importing('bench', '../sandbox/index.ts'),
  importing('bench', '../local/clients.ts'),
  importing('cli', '../local/clients.ts'),
  importing('local', '@aws-sdk/client-s3'),
  importing('sandbox', 'node:http'),
  importing('stack', '../src/policy/load.ts'),
  importing('test/conformance/s3', '@aws-sdk/client-s3'),
  importing('test/conformance/second-emulator', '../../../handlers/encrypt.ts'),
];

const RULES = ['lint/style/noRestrictedImports', 'lint/style/noProcessEnv'];

interface Report {
  diagnostics: { category: string; location: { path: string } }[];
}

let folder: string;
/** Path → the rules of the rooms that the file breaks. */
let broken: Map<string, Set<string>>;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealdrop-rooms-'));
  const { vcs: _, ...config } = JSON.parse(readFileSync(join(ROOT, 'biome.json'), 'utf8'));
  writeFileSync(join(folder, 'biome.json'), JSON.stringify(config));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  for (const { path, text } of [...Object.values(OFFENCES).flat(), ...CLEAN]) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  broken = lint();
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the linter refuses', () => {
  it.each(Object.entries(OFFENCES))('%s', (_offence, files) => {
    expect(files.filter(({ path }) => !broken.has(path)).map(({ text }) => text)).toEqual([]);
  });
});

describe('the linter takes', () => {
  it.each(CLEAN)('$path with $text', ({ path }) => {
    expect(broken.get(path)).toBeUndefined();
  });
});

/** Ends with 1 when it finds what these tests want it to find. */
function lint(): Map<string, Set<string>> {
  const biome = join(ROOT, 'node_modules/@biomejs/biome/bin/biome');
  const { stdout } = spawnSync(process.execPath, [biome, 'lint', '--reporter=json', '--max-diagnostics=none', '.'], {
    cwd: folder,
    encoding: 'utf8',
  });
  const { diagnostics } = JSON.parse(stdout) as Report;
  const found = new Map<string, Set<string>>();
  for (const { category, location } of diagnostics) {
    if (!RULES.includes(category)) continue;
    const path = location.path.replace(/^\.\//, '');
    found.set(path, (found.get(path) ?? new Set()).add(category));
  }
  return found;
}
