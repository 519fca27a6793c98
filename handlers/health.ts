/** GET /health → that the API answers; it says nothing of what stands behind it. */
import { toJson } from '../src/http/problem.ts';

export const handler = async () => toJson({ status: 'ok' });
