/** What a stack is built from: its stage, where it goes, its parameters and its encryption policy. */
import type { Policy } from '../src/policy/schema.ts';
import type { Settings } from './settings.ts';

export interface Stack {
  stage: string;
  /** Where it is deployed; known at packaging, other than the account. */
  region: string;
  settings: Settings;
  policy: Policy;
}
