/** The secret that holds the SSE-C customer key. */
import { type Part, policyDocument, ref, retained, type Statement, sub } from './cloudformation.ts';
import { customerKeySecret } from './keys-in-use.ts';
import { nameOf, roleArn } from './names.ts';
import { functionsWith, type Rights } from './rights.ts';
import type { Stack } from './stack.ts';

export function customerKey(stack: Stack, rights: Rights): Part {
  const secret = customerKeySecret(stack);
  const outputs = { CustomerKeySecret: { Value: secret, Description: 'The secret that holds the SSE-C customer key.' } };
  if (stack.settings.customerKeySecret !== null) return { Outputs: outputs };
  const readers = functionsWith(rights, 'secretsmanager:GetSecretValue', [secret]);
  const onlyReaders: Statement = {
    Sid: 'ReadByFunctionsAlone',
    Effect: 'Deny',
    Principal: '*',
    Action: ['secretsmanager:GetSecretValue'],
    // In the policy of a secret this is the secret.
    Resource: '*',
    Condition: {
      ArnNotEquals: { 'aws:PrincipalArn': [...readers.map((name) => sub(roleArn(stack, name))), ...stack.settings.breakGlass] },
    },
  };
  return {
    Resources: {
      CustomerKey: {
        Type: 'AWS::SecretsManager::Secret',
        ...retained,
        Properties: {
          Name: sub(nameOf(stack, 'customer-key')),
          Description: 'The SSE-C customer key. Every version that still protects objects must keep a staging label.',
          // 64 hex digits are 256 bits. This must never change: a change makes a new secret value.
          GenerateSecretString: {
            PasswordLength: 64,
            ExcludePunctuation: true,
            ExcludeUppercase: true,
            ExcludeCharacters: 'ghijklmnopqrstuvwxyz',
            RequireEachIncludedType: false,
          },
        },
      },
      CustomerKeyPolicy: {
        Type: 'AWS::SecretsManager::ResourcePolicy',
        ...retained,
        Properties: { SecretId: ref('CustomerKey'), ResourcePolicy: policyDocument([onlyReaders]), BlockPublicPolicy: true },
      },
    },
    Outputs: outputs,
  };
}
