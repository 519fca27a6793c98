/** GET /health → that the API answers, and GET /openapi.json → how; neither says anything of what stands behind it. */
import * as z from 'zod/mini';
import { OPENAPI } from '../src/http/openapi.ts';
import { toJson } from '../src/http/problem.ts';

const eventSchema = z.object({ resource: z.optional(z.string()) });

export const handler = async (event: unknown) => {
  const asked = eventSchema.safeParse(event);
  return toJson(asked.success && asked.data.resource === '/openapi.json' ? OPENAPI : { status: 'ok' });
};
