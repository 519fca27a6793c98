/** Whether anybody may share. Pure. */
import type { Policy } from './schema.ts';

export function usesLinks({ access }: Pick<Policy, 'access'>): boolean {
  return access.some(({ may }) => may.includes('share'));
}
