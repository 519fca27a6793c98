/** IAM: kept for the judge of requests. */
import { z } from 'zod';
import { type Definition, define, integer, policyDocument, tags, text, texts } from '../definition.ts';

const policies = z.array(z.strictObject({ PolicyName: text, PolicyDocument: policyDocument }));

export const identityResources: Record<'AWS::IAM::Role' | 'AWS::IAM::Policy', Definition> = {
  'AWS::IAM::Role': define({
    schema: z.strictObject({
      RoleName: text.optional(),
      Description: text.optional(),
      Path: z.literal('/').optional(),
      MaxSessionDuration: integer.optional(),
      AssumeRolePolicyDocument: policyDocument,
      Policies: policies.default([]),
      Tags: tags.optional(),
    }),
    replacedBy: ['RoleName', 'Path'],
    nameProperty: 'RoleName',
    apply({ properties, generatedName, services }) {
      const name = properties.RoleName ?? generatedName;
      const inline = properties.Policies.map(({ PolicyName, PolicyDocument }) => [PolicyName, PolicyDocument] as const);
      const { arn, roleId } = services.access.putRole(name, properties.AssumeRolePolicyDocument, Object.fromEntries(inline));
      return { physicalId: name, attributes: { Arn: arn, RoleId: roleId } };
    },
    remove: ({ physicalId }, { access }) => access.deleteRole(physicalId),
  }),
  'AWS::IAM::Policy': define({
    schema: z.strictObject({ PolicyName: text, PolicyDocument: policyDocument, Roles: texts }),
    apply({ properties, generatedName, services }) {
      services.access.putRolePolicy(properties.Roles, generatedName, properties.PolicyDocument, properties.PolicyName);
      return { physicalId: generatedName, attributes: { Id: generatedName } };
    },
    remove: ({ physicalId }, { access }) => access.deletePolicy(physicalId),
  }),
};
