/** MiB of the encrypt function, from which Lambda gives it its share of CPU. */
import { streams } from '../src/policy/keys.ts';
import type { Stack } from './stack.ts';

/** S3 does the work. */
const COPYING_MIB = 512;
/** One whole CPU: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
const SEALING_MIB = 1769;

/** Bytes pass through the function only where policy.yml encrypts before S3 does, or decrypts what it is given. */
export const encryptMemory = ({ policy }: Pick<Stack, 'policy'>): number => (streams(policy) ? SEALING_MIB : COPYING_MIB);
