/**
 * Deploys a compiled template, as CloudFormation would, into the services of the sandbox.
 *
 * What it does not do (2026-11-20): roll back (what was made before an error stays and is found again by the next
 * deployment), change sets, nested stacks, exports, stack policies, transforms, custom resources, drift detection;
 * resource types and properties other than those in `resources/`, which are an error.
 */
import { createHash } from 'node:crypto';
import { AwsError } from '../aws-error.ts';
import type { Api } from '../rest-api/index.ts';
import type { State } from '../state.ts';
import { type ApiDraft, createApiDraft, finishApi } from './api-draft.ts';
import type { Definition, Deployed } from './definition.ts';
import { DeploymentError } from './deployment-error.ts';
import { resolve, type Scope } from './intrinsics.ts';
import { deploymentOrder } from './order.ts';
import { checkProperties, difference, fingerprint } from './properties.ts';
import { DEFINITIONS } from './resources/index.ts';
import { createScope } from './scope.ts';
import type { Services } from './services.ts';
import { openStackStore, type ResourceRecord, type StackStore } from './stack-store.ts';
import { type ResourceTemplate, resolveParameters, type Template } from './template.ts';

export interface DeployOptions {
  state: State;
  services: Services;
  stackName: string;
  template: Template;
  parameters: Record<string, string>;
  /** Folder of the functions' zip files. */
  packageDir: string;
}

export interface Stack {
  outputs: Record<string, string>;
  /** The stack's REST API, `null` when it has none. */
  api: Api | null;
  /** By logical id. */
  resources: ReadonlyMap<string, Deployed>;
}

interface Run {
  options: DeployOptions;
  store: StackStore;
  before: ReadonlyMap<string, ResourceRecord>;
  scope: Scope;
  draft: ApiDraft;
  deployed: Map<string, Deployed>;
}

/**
 * Creates what is new, updates what changed, keeps the rest, and removes what the template dropped (unless its
 * DeletionPolicy retains it).
 * @throws DeploymentError for a template that cannot be deployed, and for a change that would lose data
 */
export async function deployStack(options: DeployOptions): Promise<Stack> {
  const { template, stackName, state } = options;
  const parameters = resolveParameters(template, options.parameters);
  const deployed = new Map<string, Deployed>();
  const scope = createScope(template, stackName, parameters, deployed);
  const store = openStackStore(state, stackName);
  const before = new Map(store.all().map((record) => [record.logicalId, record]));
  const run: Run = { options, store, before, scope, draft: createApiDraft(), deployed };

  const all = Object.entries(template.Resources);
  const wanted = all.filter(([, { Condition }]) => Condition === undefined || scope.condition(Condition));
  const order = deploymentOrder(Object.fromEntries(wanted), new Set(Object.keys(template.Resources)));
  checkTypes(template, order);
  for (const logicalId of order) await deployResource(run, logicalId);
  await removeDropped(run, new Set(order));
  return { outputs: outputsOf(template, scope), api: finishApi(run.draft), resources: deployed };
}

async function deployResource(run: Run, logicalId: string): Promise<void> {
  const resource = run.options.template.Resources[logicalId];
  if (resource === undefined) return;
  const properties = asRecord(resolveProperties(logicalId, resource, run.scope));
  const definition = definitionOf(resource.Type);
  if (definition === null) return;
  checkProperties(logicalId, resource.Type, definition, properties);
  const fingerprints = fingerprint(properties);
  const last = run.before.get(logicalId);
  const previous = last?.type === resource.Type ? last : null;
  const changed = previous === null ? new Set<string>() : difference(previous.fingerprints, fingerprints);
  const replaced = previous !== null && definition.replacedBy.some((name) => changed.has(name));
  if (replaced) checkReplacement(logicalId, resource, definition, changed, previous);
  const kept = previous !== null && !replaced ? previous : null;
  const result =
    kept !== null && changed.size === 0 && !definition.volatile
      ? kept
      : await apply(run, logicalId, resource.Type, definition, properties, kept, changed);
  const { physicalId, attributes } = result;
  run.deployed.set(logicalId, { physicalId, attributes });
  const retain = resource.DeletionPolicy === 'Retain' || resource.DeletionPolicy === 'RetainExceptOnCreate';
  run.store.put({ logicalId, type: resource.Type, physicalId, attributes, fingerprints, retain });
  if (replaced && resource.UpdateReplacePolicy !== 'Retain' && previous.physicalId !== physicalId)
    await definition.remove(previous, run.options.services);
}

async function apply(
  run: Run,
  logicalId: string,
  type: string,
  definition: Definition,
  properties: unknown,
  previous: ResourceRecord | null,
  changed: ReadonlySet<string>,
): Promise<Deployed> {
  const { services, packageDir } = run.options;
  try {
    return await definition.apply({
      logicalId,
      properties,
      previous,
      changed,
      generatedName: generatedName(run, logicalId),
      services,
      api: run.draft,
      packageDir,
    });
  } catch (error) {
    if (error instanceof DeploymentError) throw error;
    const what = error instanceof AwsError ? describeRefusal(error) : error instanceof Error ? error.message : String(error);
    throw new DeploymentError(`${logicalId} (${type}) could not be deployed: ${what}`, { cause: error });
  }
}

/** S3 says in the details which of several things it means. */
function describeRefusal({ code, message, detail }: AwsError): string {
  const details = Object.entries(detail).map(([name, value]) => `${name}: ${value}`);
  return [`${code}: ${message}`, ...details].join(' · ');
}

function checkReplacement(
  logicalId: string,
  resource: ResourceTemplate,
  definition: Definition,
  changed: ReadonlySet<string>,
  previous: ResourceRecord,
): void {
  const because = definition.replacedBy.filter((name) => changed.has(name)).join(', ');
  if (definition.nameProperty !== null && !changed.has(definition.nameProperty) && definition.nameProperty in previous.fingerprints) {
    throw new DeploymentError(
      `${logicalId} (${resource.Type}): a change of ${because} makes a new resource, which cannot have the name of ${previous.physicalId}. Change its ${definition.nameProperty} too, or undo the change.`,
    );
  }
  if (definition.holdsData && resource.UpdateReplacePolicy !== 'Retain') {
    throw new DeploymentError(
      `${logicalId} (${resource.Type}): a change of ${because} would replace ${previous.physicalId} and lose what it holds. Give it "UpdateReplacePolicy: Retain", undo the change, or start with an empty data folder.`,
    );
  }
}

async function removeDropped({ before, store, options }: Run, kept: ReadonlySet<string>): Promise<void> {
  for (const record of [...before.values()].reverse()) {
    if (kept.has(record.logicalId)) continue;
    if (!record.retain) await removeResource(record, options.services);
    store.remove(record.logicalId);
  }
}

/** As CloudFormation's clean-up: what is gone already is fine, and a bucket that is not empty stays. */
async function removeResource(record: ResourceRecord, services: Services): Promise<void> {
  try {
    await definitionOf(record.type)?.remove(record, services);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
  }
}

function checkTypes(template: Template, order: readonly string[]): void {
  const unknown = order
    .map((logicalId) => [logicalId, template.Resources[logicalId]?.Type ?? ''] as const)
    .filter(([, type]) => definitionOf(type) === null);
  if (unknown.length === 0) return;
  const list = unknown.map(([logicalId, type]) => `${logicalId} is ${type}`).join('\n  ');
  const known = Object.keys(DEFINITIONS).sort().join(', ');
  throw new DeploymentError(`The sandbox does not know these resource types:\n  ${list}\nIt knows: ${known}.`);
}

function definitionOf(type: string): Definition | null {
  return Object.hasOwn(DEFINITIONS, type) ? (DEFINITIONS[type] ?? null) : null;
}

function resolveProperties(logicalId: string, { Properties }: ResourceTemplate, scope: Scope): unknown {
  try {
    return resolve(Properties, scope);
  } catch (error) {
    throw error instanceof DeploymentError ? new DeploymentError(`${logicalId}: ${error.message}`, { cause: error }) : error;
  }
}

function outputsOf(template: Template, scope: Scope): Record<string, string> {
  const wanted = Object.entries(template.Outputs).filter(([, { Condition }]) => Condition === undefined || scope.condition(Condition));
  return Object.fromEntries(wanted.map(([name, { Value }]) => [name, String(resolve(Value, scope))]));
}

/** Lower case and short enough for a bucket, the strictest of names. */
function generatedName({ options: { stackName } }: Run, logicalId: string): string {
  const suffix = createHash('sha256').update(`${stackName}/${logicalId}`).digest('hex').slice(0, 12);
  return `${stackName.slice(0, 20)}-${logicalId.slice(0, 24)}-${suffix}`.toLowerCase();
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
