/**
 * The Node.js runtime inside an execution environment: loads the handler, runs one invocation at a time.
 * Follows the runtime interface client of nodejs24.x (https://github.com/aws/aws-lambda-nodejs-runtime-interface-client):
 * callbacks are gone, a streaming handler must end its stream, an uncaught error ends the environment.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { type Handler, loadHandler } from './handler-loader.ts';
import type { FromWorker, FunctionFailure, ToWorker, WorkerSettings } from './protocol.ts';
import { createResponseStream, installStreamingGlobals, isStreaming, type ResponseStream } from './response-stream.ts';
import { describeFailure, useLambdaConsole } from './runtime-console.ts';

/** Exit code of the runtime after an uncaught error. */
const EXIT_UNCAUGHT = 129;

const settings: WorkerSettings = workerData;
let requestId: string | undefined;
let stream: ResponseStream | null = null;

process.on('uncaughtException', crash);
process.on('unhandledRejection', (reason) =>
  crash({
    errorType: 'Runtime.UnhandledPromiseRejection',
    errorMessage: describeFailure(reason).errorMessage,
    trace: describeFailure(reason).trace ?? [],
  }),
);
useLambdaConsole(() => requestId);
installStreamingGlobals();

try {
  const handler = await loadHandler(settings);
  parentPort?.on('message', (message: ToWorker) => {
    if (message.type === 'invoke') void invoke(handler, message);
    else if (message.type === 'consumed' && message.requestId === requestId) stream?.consumed(message.bytes);
    else if (message.type === 'abort' && message.requestId === requestId)
      stream?.writable.destroy(new Error('The client closed the connection.'));
  });
  post({ type: 'ready' });
} catch (error) {
  const failure = describeFailure(error);
  console.error('Uncaught Exception', JSON.stringify(failure));
  post({ type: 'init-failed', failure });
}

async function invoke(handler: Handler, message: Extract<ToWorker, { type: 'invoke' }>): Promise<void> {
  requestId = message.requestId;
  try {
    const event: unknown = JSON.parse(message.event);
    const context = createContext(message);
    if (isStreaming(handler)) {
      stream = createResponseStream(message.requestId, post);
      const result = handler(event, stream.writable, context);
      if (!(result instanceof Promise)) throw new Error('Streaming does not support non-async handlers.');
      if ((await result) !== undefined) console.warn('Streaming handlers ignore return values.');
      await stream.finished;
      post({ type: 'streamed', requestId: message.requestId, contentType: stream.contentType() });
    } else {
      const payload = JSON.stringify((await handler(event, context)) ?? null);
      post({ type: 'returned', requestId: message.requestId, payload });
    }
  } catch (error) {
    const failure = describeFailure(error);
    console.error('Invoke Error', JSON.stringify(failure));
    post({ type: 'failed', requestId: message.requestId, failure });
  } finally {
    stream = null;
    requestId = undefined;
  }
}

function createContext(message: Extract<ToWorker, { type: 'invoke' }>): Record<string, unknown> {
  const env = process.env;
  return {
    awsRequestId: message.requestId,
    invokedFunctionArn: message.functionArn,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => message.deadline - Date.now(),
  };
}

function crash(error: unknown): void {
  const failure: FunctionFailure = isFailure(error) ? error : describeFailure(error);
  console.error('Uncaught Exception', JSON.stringify(failure));
  post({ type: 'crashed', failure });
  process.exit(EXIT_UNCAUGHT);
}

function isFailure(value: unknown): value is FunctionFailure {
  return typeof value === 'object' && value !== null && !(value instanceof Error) && 'errorType' in value;
}

function post(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}
