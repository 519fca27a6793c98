/** What a template's values may refer to while it is deployed. */
import { ACCOUNT_ID, PARTITION, REGION } from '../account.ts';
import type { Deployed } from './definition.ts';
import { DeploymentError } from './deployment-error.ts';
import { isTrue, NO_VALUE, type Scope } from './intrinsics.ts';
import type { Template } from './template.ts';

/** @param deployed grows with the deployment */
export function createScope(
  template: Template,
  stackName: string,
  parameters: Record<string, unknown>,
  deployed: ReadonlyMap<string, Deployed>,
): Scope {
  const pseudo: Record<string, unknown> = {
    'AWS::AccountId': ACCOUNT_ID,
    'AWS::NoValue': NO_VALUE,
    'AWS::NotificationARNs': [],
    'AWS::Partition': PARTITION,
    'AWS::Region': REGION,
    'AWS::StackId': `arn:${PARTITION}:cloudformation:${REGION}:${ACCOUNT_ID}:stack/${stackName}/00000000-0000-0000-0000-000000000000`,
    'AWS::StackName': stackName,
    'AWS::URLSuffix': 'amazonaws.com',
  };
  const conditions = new Map<string, boolean | 'evaluating'>();

  const scope: Scope = {
    ref(name) {
      if (Object.hasOwn(pseudo, name)) return pseudo[name];
      if (Object.hasOwn(parameters, name)) return parameters[name];
      return resource(name).physicalId;
    },
    getAtt(logicalId, attribute) {
      const { attributes } = resource(logicalId);
      const value = attributes[attribute];
      if (value !== undefined) return value;
      throw new DeploymentError(`${logicalId} has no attribute ${attribute}. It has: ${Object.keys(attributes).join(', ') || 'none'}.`);
    },
    findInMap(map, first, second) {
      const value = template.Mappings[map]?.[first]?.[second];
      if (value !== undefined) return value;
      throw new DeploymentError(`The mapping ${map} has nothing at ${first}.${second}`);
    },
    condition(name) {
      const known = conditions.get(name);
      if (known === 'evaluating') throw new DeploymentError(`The condition ${name} refers to itself`);
      if (known !== undefined) return known;
      if (!Object.hasOwn(template.Conditions, name)) throw new DeploymentError(`There is no condition ${name}`);
      conditions.set(name, 'evaluating');
      const value = isTrue(template.Conditions[name], scope);
      conditions.set(name, value);
      return value;
    },
  };
  return scope;

  function resource(logicalId: string): Deployed {
    const found = deployed.get(logicalId);
    if (found !== undefined) return found;
    throw new DeploymentError(`The template refers to ${logicalId}, which is no parameter and no resource that is deployed`);
  }
}
