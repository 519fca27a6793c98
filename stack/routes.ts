/** The API's routes to objects, and those of share links, which are there only where policy.yml lets somebody share. */
import { usesLinks } from '../src/policy/links.ts';
import type { Text } from './cloudformation.ts';
import { roleId } from './names.ts';
import type { Stack } from './stack.ts';
import { TIMEOUTS } from './timeouts.ts';

/** Who brings a token. */
export const AUTHORIZER = {
  name: 'authorize',
  type: 'request',
  identitySource: 'method.request.header.Authorization',
  resultTtlInSeconds: 300,
};

/** Who signs with IAM credentials; a method has one kind of authorization. */
const SIGNED = 'aws_iam';

/** A streamed response may take up to 15 minutes. */
const STREAMED = { response: { transferMode: 'STREAM' }, timeoutInMillis: TIMEOUTS.download * 1000 };

interface Route {
  http: { method: string; path: string; authorizer?: typeof AUTHORIZER | typeof SIGNED };
}

export function downloadRoutes({ policy }: Pick<Stack, 'policy'>): Route[] {
  const rightly = (['/objects/{key+}', '/object'] as const).flatMap((path) => [
    ...read(path, { authorizer: AUTHORIZER }),
    ...read(`/iam${path}`, { authorizer: SIGNED }),
  ]);
  // Whoever has a link needs nothing else.
  return [...rightly, ...(usesLinks(policy) ? read('/links/{link}', {}) : [])];
}

/** A resource has one variable below it: what opens a link and what it is told by are both its `link`. @returns `null`: nobody may share */
export function shareFunction({ policy }: Pick<Stack, 'policy'>, environment: Record<string, Text>): Record<string, unknown> | null {
  if (!usesLinks(policy)) return null;
  return {
    handler: 'handlers/share.handler',
    role: roleId('share'),
    timeout: TIMEOUTS.share,
    environment,
    events: shareRoutes(),
  };
}

export function shareRoutes(): Route[] {
  return [
    { path: '/links', authorizer: AUTHORIZER },
    { path: '/iam/links', authorizer: SIGNED },
  ].flatMap(({ path, authorizer }): Route[] => [
    { http: { method: 'post', path, authorizer } as Route['http'] },
    { http: { method: 'delete', path: `${path}/{link}`, authorizer } as Route['http'] },
  ]);
}

function read(path: string, who: Pick<Route['http'], 'authorizer'>): Route[] {
  return ['get', 'head'].map((method) => ({ http: { method, path, ...who, ...STREAMED } }));
}
