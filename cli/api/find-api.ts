/** Where the API is: as it was said, or as the stack says. */
import { CannotLook } from '../cannot-look.ts';
import type { StackArguments } from '../stack-arguments.ts';
import { type ApiArguments, apiUrl } from './arguments.ts';

/** @throws CannotLook: nobody says it */
export async function findApi(asked: ApiArguments & StackArguments): Promise<URL> {
  if (asked.apiUrl !== null) return asked.apiUrl;
  // Loaded when asked for: the API is all that most calls need.
  const [{ createClients, closeClients }, { describeStack }] = await Promise.all([import('../clients.ts'), import('../stack.ts')]);
  const clients = createClients(asked.region);
  try {
    const stack = await describeStack(clients.cloudformation, asked.stackName);
    if (stack.apiUrl !== null) return apiUrl(`the endpoint of ${stack.name}`, stack.apiUrl);
  } finally {
    closeClients(clients);
  }
  throw new CannotLook(`The stack ${asked.stackName} does not say where its API is. Say it with --api or SEALDROP_API_URL.`);
}
