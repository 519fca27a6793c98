export { type EventSourceMapping, type EventSourceMappings, openEventSourceMappings } from './event-source-mapping.ts';
export { functionArn } from './function-name.ts';
export {
  type FunctionConfiguration,
  type Functions,
  type InvokeResult,
  type LambdaFunction,
  type LambdaOptions,
  openFunctions,
  type StreamResult,
} from './functions.ts';
export { createLambdaService } from './invoke-api.ts';
export type { LogSink } from './logs.ts';
