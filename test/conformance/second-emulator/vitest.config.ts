import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** Not part of `npm test`, which must not need an emulator. */
export default defineConfig({
  root: join(import.meta.dirname, '../../..'),
  test: {
    include: ['test/conformance/second-emulator/{handlers,deployed}.ts'],
    setupFiles: ['test/setup.ts'],
    pool: 'forks',
    execArgv: ['--disable-warning=ExperimentalWarning'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
