/** How the functions are bundled. */
import type { Stack } from './stack.ts';

/** The policy is compiled in, so that no function reads or parses it at run time. */
export function esbuildOptions({ policy }: Pick<Stack, 'policy'>) {
  return {
    bundle: true,
    minify: true,
    sourcemap: false,
    target: 'node24',
    platform: 'node',
    format: 'esm',
    outputFileExtension: '.mjs',
    mainFields: ['module', 'main'],
    // The SDK is bundled: the version that was tested is the version that runs, and it starts faster than the runtime's.
    exclude: [],
    external: [],
    // Some of the SDK's CommonJS dependencies call require(), which ES modules do not have.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    // Serverless would take a key such as `${env:HOME}/` for a variable of its own.
    define: { SEALDROP_POLICY: JSON.stringify(policy).replaceAll('$', '\\u0024') },
  };
}

/** For `serverless invoke local`, which loads `.js` only and has no streams. */
export function localEsbuildOptions(stack: Pick<Stack, 'policy'>) {
  // In a folder of its own: what is packaged next must not find these files.
  return {
    ...esbuildOptions(stack),
    outputFileExtension: '.js',
    inject: ['stack/local-response-stream.ts'],
    outputWorkFolder: '.invoke-local',
  };
}
