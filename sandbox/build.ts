/** Packages the stack with Serverless, and only when something that it is made from has changed. */
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, isAbsolute, join, relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify, stripVTControlCharacters } from 'node:util';
import { ADMINISTRATOR_ARN, REGION } from './account.ts';
import { tryLock } from './lock.ts';

/** Files and folders, relative to the project, of which a change makes a new package. */
const INPUTS = ['serverless.yml', 'stack', 'handlers', 'src', 'package.json', 'package-lock.json', 'tsconfig.json'] as const;
const TEMPLATE = 'cloudformation-template-update-stack.json';
const LOCK_RETRY_MS = 100;
/** Packages kept beside the one that was asked for; each is a few MB. */
const KEEP = 12;

/** Parameters of a stack for the sandbox, where the administrator is the one who may break the glass. */
export const LOCAL_PARAMS: Readonly<Record<string, string>> = { breakGlass: ADMINISTRATOR_ARN };

export interface PackageOptions {
  projectDir: string;
  /** The policy file; relative to `projectDir`, or absolute. */
  policyPath: string;
  stage: string;
  /** What `serverless package --param name=value` takes besides `policy`, by name. */
  params?: Readonly<Record<string, string>>;
  /** Where packages are kept, a folder for each state of the inputs. */
  cacheDir: string;
}

/** What `serverless package` made. */
export interface Artifacts {
  templatePath: string;
  /** Folder of the functions' zip files. */
  packageDir: string;
}

/** The stack cannot be packaged; the message is Serverless's own, e.g. what is wrong with the policy or a parameter. */
export class PackageError extends Error {
  override readonly name = 'PackageError';
}

/**
 * Packages the stack, or finds the package of the same inputs. Any number of processes may do so at once.
 * @throws PackageError
 */
export async function packageStack(options: PackageOptions): Promise<Artifacts> {
  const policy = resolve(options.projectDir, options.policyPath);
  if (!existsSync(policy)) throw new PackageError(`There is no policy at ${policy}`);
  checkParams(options.params ?? {});
  for (;;) {
    const packageDir = join(resolve(options.cacheDir), hashInputs(options, policy));
    if (existsSync(packageDir)) return artifacts(packageDir);
    const release = await lockProject(options.projectDir);
    try {
      if (!existsSync(packageDir)) await build(options, policy, packageDir);
    } finally {
      release();
    }
  }
}

function artifacts(packageDir: string): Artifacts {
  return { templatePath: join(packageDir, TEMPLATE), packageDir };
}

function checkParams(params: Readonly<Record<string, string>>): void {
  if ('policy' in params) throw new PackageError('The policy is no --param here: it is the path that packaging is asked for');
  for (const [name, value] of Object.entries(params)) {
    if (!/^\w+$/.test(name)) throw new PackageError(`--param ${name}=…: a parameter's name is letters and digits`);
    // Serverless takes no empty ones, and the rest of a second line would be dropped.
    if (!/^\S(?:.*\S)?$/.test(value))
      throw new PackageError(`--param ${name}: a value is one line, not empty; leave the parameter out for its default`);
  }
}

/** serverless-esbuild works in one folder of the project, so that packagings wait for each other, wherever their packages go. */
async function lockProject(projectDir: string): Promise<() => void> {
  const project = createHash('sha256').update(resolve(projectDir)).digest('hex').slice(0, 16);
  const path = join(tmpdir(), `sealdrop-package-${project}.lock`);
  for (;;) {
    const lock = tryLock(path);
    if (lock !== null) return lock;
    await sleep(LOCK_RETRY_MS);
  }
}

/** Leaves no package when the inputs changed meanwhile: it would be found under what they were. */
async function build(options: PackageOptions, policy: string, packageDir: string): Promise<void> {
  const { projectDir, stage, params = {}, cacheDir } = options;
  const fresh = `${packageDir}.${randomBytes(4).toString('hex')}`;
  const temporary = `${fresh}.tmp`;
  mkdirSync(resolve(cacheDir), { recursive: true });
  try {
    // Serverless reads files below the project only by a relative path.
    const policyParameter = isAbsolute(policy) ? relative(resolve(projectDir), policy) : policy;
    mkdirSync(temporary, { recursive: true });
    const given = Object.entries({ ...params, policy: policyParameter }).flatMap(([name, value]) => ['--param', `${name}=${value}`]);
    // The sandbox is one Region, whatever AWS_REGION says.
    const args = ['package', '--stage', stage, '--region', REGION, '--package', fresh, ...given];
    await runServerless(resolve(projectDir), args, temporary);
    if (hashInputs(options, policy) === basename(packageDir)) moveInto(fresh, packageDir);
  } finally {
    for (const folder of [fresh, temporary]) rmSync(folder, { recursive: true, force: true });
  }
  dropOld(resolve(cacheDir), basename(packageDir));
}

async function runServerless(projectDir: string, args: string[], temporary: string): Promise<void> {
  const node = join(projectDir, 'node_modules', '.bin', 'node');
  const serverless = join(projectDir, 'node_modules', 'serverless', 'bin', 'serverless.js');
  for (const needed of [node, serverless]) {
    if (!existsSync(needed)) throw new PackageError(`${needed} is missing: run "npm ci" in ${projectDir} first`);
  }
  try {
    await promisify(execFile)(node, [serverless, ...args], {
      cwd: projectDir,
      env: {
        ...process.env,
        SLS_TRACKING_DISABLED: '1',
        SLS_NOTIFICATIONS_MODE: 'off',
        SLS_INTERACTIVE_SETUP_ENABLE: '',
        NO_COLOR: '1',
        FORCE_COLOR: '0',
        // Zip files in the making; Serverless leaves them behind.
        TMPDIR: temporary,
      },
      maxBuffer: 16 * 1024 * 1024,
    });
  } catch (error) {
    throw new PackageError(`The stack cannot be packaged.\n${readable(error)}`, { cause: error });
  }
}

/** What Serverless says is wrong, without its banner, colours and advice. */
function readable(error: unknown): string {
  const output = typeof error === 'object' && error !== null ? [Reflect.get(error, 'stderr'), Reflect.get(error, 'stdout')] : [];
  const text = output.filter((part) => typeof part === 'string').join('\n');
  const plain = stripVTControlCharacters(text);
  const lines = plain.split('\n').map((line) => line.trimEnd());
  const noise =
    /^(?:Environment:|Credentials:|Docs:|Support:|Bugs:|Packaging |npm warn|Error:$|\d+ deprecation|Run 'serverless|Cannot resolve serverless\.yml: |\s*- Cannot resolve variable at .* Received rejection:$)/;
  const told = lines.filter((line) => line !== '' && !noise.test(line));
  return told.length > 0 ? told.join('\n') : error instanceof Error ? error.message : String(error);
}

function hashInputs({ projectDir, stage, params = {} }: PackageOptions, policy: string): string {
  const sorted = Object.entries(params).sort(([one], [other]) => (one < other ? -1 : 1));
  const hash = createHash('sha256').update(JSON.stringify([stage, REGION, relative(resolve(projectDir), policy), sorted]));
  for (const input of [...INPUTS.map((name) => resolve(projectDir, name)), policy]) {
    for (const file of filesOf(input)) hash.update(`\0${relative(projectDir, file)}\0`).update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 32);
}

function filesOf(path: string): string[] {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  const entries = readdirSync(path, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** The same inputs make the same package, so whoever is first wins. */
function moveInto(fresh: string, packageDir: string): void {
  try {
    renameSync(fresh, packageDir);
  } catch (error) {
    if (!existsSync(packageDir)) throw error;
  }
}

function dropOld(cacheDir: string, current: string): void {
  const packages = readdirSync(cacheDir).filter((name) => /^[0-9a-f]{32}$/.test(name) && name !== current);
  const aged = packages.map((name) => ({ name, time: statSync(join(cacheDir, name)).mtimeMs })).sort((a, b) => b.time - a.time);
  for (const { name } of aged.slice(KEEP)) rmSync(join(cacheDir, name), { recursive: true, force: true });
}
