/** A sandbox in a process of its own, to be killed. Prints where it listens. */
import { openSandbox } from './sandbox.ts';

const [, , dir = ''] = process.argv;
const { url, credentials } = await openSandbox({ dir });
process.stdout.write(`${JSON.stringify({ endpoint: url, credentials })}\n`);
