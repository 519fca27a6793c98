/**
 * How the functions are bundled. The policy is read, validated and compiled in here, so that a wrong one stops
 * packaging and no function reads or parses it at run time.
 */
const { compilePolicy } = require('./policy.ts');

module.exports = async ({ resolveVariable }) => ({
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
  define: { SEALDROP_POLICY: JSON.stringify(compilePolicy(await resolveVariable('param:policy'))) },
});
