/** One role a function, from the table of rights. */
import { type Part, policyDocument, type Resource, sub, type Text } from './cloudformation.ts';
import { type FunctionName, functionsOf, nameOf, roleId } from './names.ts';
import type { Right, Rights } from './rights.ts';
import type { Stack } from './stack.ts';

const TRUST = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
};

export function roles(stack: Stack, rights: Rights): Part {
  return { Resources: Object.fromEntries(functionsOf(stack).map((name) => [roleId(name), role(stack, name, rights[name])])) };
}

function role(stack: Stack, name: FunctionName, rights: Right[]): Resource {
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      RoleName: sub(nameOf(stack, name)),
      AssumeRolePolicyDocument: TRUST,
      Policies: [{ PolicyName: name, PolicyDocument: policyDocument(rights.map(statement)) }],
    },
  };
}

function statement({ sid, actions, resources, condition }: Right) {
  const [only] = resources;
  const resource: Text | Text[] = resources.length === 1 && only !== undefined ? only : resources;
  return {
    Sid: sid,
    Effect: 'Allow' as const,
    Action: actions,
    Resource: resource,
    ...(condition === undefined ? {} : { Condition: condition }),
  };
}
