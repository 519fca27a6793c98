/** The policies that authorizers answer with: who may invoke which methods. */
import { z } from 'zod';

const oneOrMany = z.union([z.string(), z.array(z.string())]).transform((value) => (Array.isArray(value) ? value : [value]));

/** A policy document of an authorizer. Conditions are not known here: a policy with one is refused. */
export const invokePolicy = z.object({
  Version: z.string().optional(),
  Id: z.string().optional(),
  Statement: z
    .union([z.array(z.unknown()), z.unknown().transform((statement) => [statement])])
    .pipe(
      z.array(z.strictObject({ Sid: z.string().optional(), Effect: z.enum(['Allow', 'Deny']), Action: oneOrMany, Resource: oneOrMany })),
    ),
});

export type InvokePolicy = z.infer<typeof invokePolicy>;
export type Decision = 'allow' | 'explicit-deny' | 'implicit-deny';

const ACTION = 'execute-api:Invoke';

/** What the policy says of one method: a Deny wins, silence denies. */
export function decide(policy: InvokePolicy, methodArn: string): Decision {
  const matching = policy.Statement.filter(
    ({ Action, Resource }) =>
      Action.some((pattern) => matches(pattern.toLowerCase(), ACTION.toLowerCase())) &&
      Resource.some((pattern) => matches(pattern, methodArn)),
  );
  if (matching.some(({ Effect }) => Effect === 'Deny')) return 'explicit-deny';
  return matching.length > 0 ? 'allow' : 'implicit-deny';
}

/** `*` is any run of characters, `?` any one. */
function matches(pattern: string, value: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(value);
}
