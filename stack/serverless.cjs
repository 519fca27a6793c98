/** What serverless.yml takes from this folder. Node reads the TypeScript behind it as it is. */
const { deploymentBucketExtensions } = require('./deployment-bucket.ts');
const { environment } = require('./environment.ts');
const { esbuildOptions, localEsbuildOptions } = require('./esbuild.ts');
const { isInvokeLocal, localEnvironment } = require('./invoked-locally.ts');
const { readStack } = require('./read-stack.ts');
const { told } = require('./shown-error.ts');
const { encryptMemory } = require('./memory.ts');
const { checkedStage } = require('./stage.ts');
const { template } = require('./template.ts');
const { TIMEOUTS } = require('./timeouts.ts');
const { transitFunction } = require('./transit-function.ts');
const { tracesApi } = require('./api-stage.ts');
const { AUTHORIZER, downloadRoutes, shareFunction } = require('./routes.ts');

let failed = false;

/**
 * Serverless asks for each of these, and shows the error of each: the first one tells all that is wrong and stops packaging,
 * so the others only keep still.
 */
const fromStack =
  (give, silence = {}) =>
  async (variables) => {
    try {
      return give(await readStack(variables));
    } catch (error) {
      if (told(error) && failed) return silence;
      failed = told(error);
      throw error;
    }
  };

const silentEnvironment = Object.fromEntries(Object.keys(TIMEOUTS).map((name) => [name, {}]));

const invokedLocally = isInvokeLocal(process.argv);

const environmentOf = (stack) => (invokedLocally ? localEnvironment(environment(stack), stack.settings, process.env) : environment(stack));

module.exports = {
  stage: ({ options }) => checkedStage(options.stage ?? 'dev'),
  settings: fromStack(({ settings }) => settings, { logRetentionDays: 1, tracing: false }),
  environment: fromStack(environmentOf, silentEnvironment),
  transit: fromStack((stack) => transitFunction(stack, environmentOf(stack).transit), null),
  share: fromStack((stack) => shareFunction(stack, environmentOf(stack).share), null),
  downloadRoutes: fromStack(downloadRoutes, []),
  authorizer: AUTHORIZER,
  tracesApi: fromStack(tracesApi, false),
  encryptMemory: fromStack(encryptMemory, 128),
  timeouts: TIMEOUTS,
  resources: fromStack((stack) => ({ ...template(stack), extensions: deploymentBucketExtensions })),
  esbuild: fromStack(invokedLocally ? localEsbuildOptions : esbuildOptions),
};
