/** Everything expected of KMS. */
import type { Expectation } from '../expectation.ts';
import { ALIASES_AND_POLICIES } from './aliases-and-policies.ts';
import { CRYPTOGRAPHY } from './cryptography.ts';
import { KEYS } from './keys.ts';

export const KMS: Expectation[] = [...KEYS, ...CRYPTOGRAPHY, ...ALIASES_AND_POLICIES];
