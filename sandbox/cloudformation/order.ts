/** In which order resources come to be: after all that they refer to. */
import { DeploymentError } from './deployment-error.ts';
import { referencesOf } from './intrinsics.ts';
import type { ResourceTemplate } from './template.ts';

/**
 * The logical ids, dependencies first, otherwise in the template's order.
 * @throws DeploymentError naming a cycle, or a DependsOn that names nothing
 */
export function deploymentOrder(resources: Record<string, ResourceTemplate>, conditional: ReadonlySet<string>): string[] {
  const ordered: string[] = [];
  const state = new Map<string, 'visiting' | 'done'>();

  const visit = (logicalId: string, path: readonly string[]): void => {
    if (state.get(logicalId) === 'done') return;
    const here = [...path, logicalId];
    if (state.get(logicalId) === 'visiting') {
      throw new DeploymentError(`The resources depend on each other in a circle: ${here.slice(here.indexOf(logicalId)).join(' → ')}`);
    }
    state.set(logicalId, 'visiting');
    for (const dependency of dependenciesOf(logicalId, resources, conditional)) visit(dependency, here);
    state.set(logicalId, 'done');
    ordered.push(logicalId);
  };

  for (const logicalId of Object.keys(resources)) visit(logicalId, []);
  return ordered;
}

function dependenciesOf(logicalId: string, resources: Record<string, ResourceTemplate>, conditional: ReadonlySet<string>): string[] {
  const resource = resources[logicalId];
  if (resource === undefined) return [];
  for (const name of resource.DependsOn) {
    if (!(name in resources) && !conditional.has(name))
      throw new DeploymentError(`${logicalId} depends on ${name}, which the template does not have`);
  }
  const references = [...resource.DependsOn, ...referencesOf(resource.Properties)];
  return references.filter((name) => name in resources && name !== logicalId);
}
