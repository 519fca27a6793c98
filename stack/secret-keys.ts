/** The secrets that hold the SSE-C customer key and the wrapping key of `cse-aes`. */
import { type Condition, type Part, policyDocument, ref, retained, type Statement, sub, type Text } from './cloudformation.ts';
import { customerKeySecret, wrappingKeySecret } from './keys-in-use.ts';
import { type FunctionName, nameOf, roleArn } from './names.ts';
import { functionsWith, type Rights } from './rights.ts';
import type { Stack } from './stack.ts';

/** The longest time to notice: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html */
const RECOVERY_DAYS = 30;

export function customerKey(stack: Stack, rights: Rights): Part {
  const secret = customerKeySecret(stack);
  const outputs = { CustomerKeySecret: { Value: secret, Description: 'The secret that holds the SSE-C customer key.' } };
  if (stack.settings.customerKeySecret !== null) return { Outputs: outputs };
  return { Resources: secretOf(stack, rights, 'CustomerKey', 'customer-key', 'The SSE-C customer key.'), Outputs: outputs };
}

/** Not the customer key: that one S3 is given with every request, this one nobody but the functions ever sees. */
export function wrappingKey(stack: Stack, rights: Rights): Part {
  const secret = wrappingKeySecret(stack);
  if (secret === null) return {};
  const outputs = { WrappingKeySecret: { Value: secret, Description: 'The secret that holds the wrapping key of cse-aes.' } };
  if (stack.settings.wrappingKeySecret !== null) return { Outputs: outputs };
  return { Resources: secretOf(stack, rights, 'WrappingKey', 'wrapping-key', 'The wrapping key of cse-aes.'), Outputs: outputs };
}

function secretOf(stack: Stack, rights: Rights, id: string, name: string, what: string): NonNullable<Part['Resources']> {
  const readers = functionsWith(rights, 'secretsmanager:GetSecretValue', [ref(id)]);
  return {
    [id]: {
      Type: 'AWS::SecretsManager::Secret',
      ...retained,
      Properties: {
        Name: sub(nameOf(stack, name)),
        Description: `${what} Every version that still protects objects must keep a staging label.`,
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
    [`${id}Policy`]: {
      Type: 'AWS::SecretsManager::ResourcePolicy',
      ...retained,
      Properties: { SecretId: ref(id), ResourcePolicy: policyDocument(guarded(stack, readers)), BlockPublicPolicy: true },
    },
  };
}

/**
 * What everybody is refused, whatever their role allows. UpdateSecret is not among it, through which CloudFormation changes a secret: it is told.
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
 */
function guarded(stack: Stack, readers: FunctionName[]): Statement[] {
  const { breakGlass } = stack.settings;
  const butFor = (principals: Text[]) => (principals.length === 0 ? undefined : { ArnNotEquals: { 'aws:PrincipalArn': principals } });
  return [
    deny('ReadByFunctionsAlone', ['GetSecretValue'], butFor([...readers.map((name) => sub(roleArn(stack, name))), ...breakGlass])),
    // Another value under AWSCURRENT encrypts from then on; a version that loses its last label goes, and what it opens with it.
    deny(
      'ChangedByBreakGlassAlone',
      ['PutSecretValue', 'ReplicateSecretToRegions', 'RotateSecret', 'UpdateSecretVersionStage'],
      butFor(breakGlass),
    ),
    deny('NoDeletionAtOnce', ['DeleteSecret'], { Bool: { 'secretsmanager:ForceDeleteWithoutRecovery': 'true' } }),
    // Who names no days gives it 30.
    deny('NoHastyDeletion', ['DeleteSecret'], {
      NumericLessThan: { 'secretsmanager:RecoveryWindowInDays': String(RECOVERY_DAYS) },
    }),
  ];
}

function deny(Sid: string, actions: string[], Condition?: Condition): Statement {
  return {
    Sid,
    Effect: 'Deny',
    Principal: '*',
    Action: actions.map((action) => `secretsmanager:${action}`),
    // In the policy of a secret this is the secret.
    Resource: '*',
    ...(Condition && { Condition }),
  };
}
