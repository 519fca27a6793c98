/** One execution environment: a worker thread with its own variables, one invocation at a time, ended by whatever ends it on Lambda. */
import { Readable } from 'node:stream';
import { Worker } from 'node:worker_threads';
import type { FromWorker, FunctionFailure, ToWorker, WorkerSettings } from './protocol.ts';

/** What Lambda allows the Init phase (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html). */
const INIT_TIMEOUT_SECONDS = 10;

/** What an environment of a function is made of. */
export interface EnvironmentSettings extends WorkerSettings {
  functionArn: string;
  memorySize: number;
  timeoutSeconds: number;
  /** All that the function sees of an environment: nothing of the host's is added. */
  variables: Record<string, string>;
  onLog(text: string): void;
  /** Called once, when nothing that the environment sends counts any more. */
  onEnd(): void;
}

export interface Invocation {
  requestId: string;
  /** JSON text. */
  event: string;
  /** Called at the first byte of a streamed response; the stream errors when the function fails after that. */
  onStream(body: Readable, contentType: string): void;
}

/** How an invocation ended. `streamed` with no `onStream` before it means an empty response. */
export type Outcome =
  | { kind: 'returned'; payload: string }
  | { kind: 'streamed'; contentType: string }
  | { kind: 'failed'; failure: FunctionFailure };

export interface Environment {
  /** Runs one invocation; never rejects. Call it only while no other is under way. */
  run(invocation: Invocation): Promise<Outcome>;
  /** False once the worker has ended or is about to. */
  alive(): boolean;
  /** Ends it at once, as the kernel of a host does; an invocation that is under way fails. */
  kill(): void;
  stop(): Promise<void>;
}

interface Running {
  invocation: Invocation;
  body: Body | null;
  settle(outcome: Outcome): void;
}

interface Body {
  readable: Readable;
  /** Bytes that the reader has not asked for yet. */
  owed: number;
}

/** Starts a worker; the handler is loaded while the first invocation waits. */
export function startEnvironment(settings: EnvironmentSettings): Environment {
  const workerData: WorkerSettings = { taskRoot: settings.taskRoot, handler: settings.handler };
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData,
    env: settings.variables,
    argv: [],
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdin: false,
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: settings.memorySize },
  });
  let alive = true;
  let initialised = false;
  let running: Running | null = null;
  let lastFailure: FunctionFailure | null = null;
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  const initialisation = Promise.withResolvers<void>();

  for (const output of [worker.stdout, worker.stderr]) output.setEncoding('utf8').on('data', settings.onLog);
  worker.on('message', receive);
  worker.on('error', (error) => {
    const memory = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    lastFailure ??= memory
      ? { errorType: 'Runtime.OutOfMemory', errorMessage: runtimeError('Runtime exited with error: signal: killed') }
      : { errorType: error.name, errorMessage: error.message };
  });
  worker.once('exit', (code) => {
    retire();
    const how = code === 0 ? 'Runtime exited without providing a reason' : `Runtime exited with error: exit status ${code}`;
    lastFailure ??= { errorType: 'Runtime.ExitError', errorMessage: runtimeError(how) };
    initialisation.resolve();
    fail(lastFailure);
  });

  return {
    alive: () => alive,
    kill: () => end('Runtime.ExitError', 'Runtime exited with error: signal: killed'),
    async run(invocation) {
      const { promise, resolve } = Promise.withResolvers<Outcome>();
      running = { invocation, body: null, settle: resolve };
      await initialise();
      // What ended the worker meanwhile has settled the invocation.
      if (running === null) return promise;
      if (!alive) {
        fail(lastFailure ?? { errorType: 'Runtime.ExitError', errorMessage: runtimeError('Runtime exited') });
        return promise;
      }
      const deadline = Date.now() + settings.timeoutSeconds * 1000;
      const timer = setTimeout(timeOut, settings.timeoutSeconds * 1000);
      const { requestId, event } = invocation;
      post({ type: 'invoke', requestId, event, deadline, functionArn: settings.functionArn });
      return promise.finally(() => clearTimeout(timer));
    },
    async stop() {
      retire();
      lastFailure ??= { errorType: 'Runtime.ExitError', errorMessage: runtimeError('The sandbox is stopping') };
      await worker.terminate();
      await exited;
    },
  };

  async function initialise(): Promise<void> {
    if (initialised) return;
    const timer = setTimeout(
      () => end('Sandbox.Timedout', `Init timed out after ${INIT_TIMEOUT_SECONDS}.00 seconds`),
      INIT_TIMEOUT_SECONDS * 1000,
    );
    await initialisation.promise;
    clearTimeout(timer);
    initialised = true;
  }

  function receive(message: FromWorker): void {
    switch (message.type) {
      case 'ready':
        initialisation.resolve();
        break;
      case 'init-failed':
        lastFailure = message.failure;
        retire();
        void worker.terminate();
        break;
      case 'crashed':
        lastFailure = message.failure;
        retire();
        break;
      case 'chunk':
        receiveChunk(message);
        break;
      case 'returned':
        settle({ kind: 'returned', payload: message.payload });
        break;
      case 'streamed':
        running?.body?.readable.push(null);
        settle({ kind: 'streamed', contentType: message.contentType });
        break;
      case 'failed':
        fail(message.failure);
        break;
      default:
        message satisfies never;
    }
  }

  function receiveChunk({ requestId, contentType, bytes }: Extract<FromWorker, { type: 'chunk' }>): void {
    if (running === null || running.invocation.requestId !== requestId) return;
    if (running.body === null) {
      running.body = createBody(requestId);
      running.invocation.onStream(running.body.readable, contentType);
    }
    const body = running.body;
    if (body.readable.destroyed) return;
    body.owed += bytes.length;
    if (body.readable.push(Buffer.from(bytes.buffer))) acknowledge(requestId, body);
  }

  function createBody(requestId: string): Body {
    const body: Body = {
      owed: 0,
      readable: new Readable({
        highWaterMark: 256 * 1024,
        read: () => acknowledge(requestId, body),
        destroy(error, done) {
          if (running?.invocation.requestId === requestId) post({ type: 'abort', requestId });
          done(error);
        },
      }),
    };
    // Whoever reads it listens as well; until then a failure must not end the sandbox.
    body.readable.on('error', () => {});
    return body;
  }

  function acknowledge(requestId: string, body: Body): void {
    if (body.owed === 0) return;
    post({ type: 'consumed', requestId, bytes: body.owed });
    body.owed = 0;
  }

  function retire(): void {
    if (!alive) return;
    alive = false;
    settings.onEnd();
  }

  function timeOut(): void {
    const failure = `Task timed out after ${settings.timeoutSeconds.toFixed(2)} seconds`;
    settings.onLog(`${new Date().toISOString()}\t${running?.invocation.requestId}\tERROR\t${failure}\n`);
    end('Sandbox.Timedout', failure);
  }

  function end(errorType: string, errorMessage: string): void {
    retire();
    fail({ errorType, errorMessage: runtimeError(errorMessage) });
    void worker.terminate();
  }

  function fail(failure: FunctionFailure): void {
    const body = running?.body?.readable;
    settle({ kind: 'failed', failure });
    body?.destroy(new Error(`${failure.errorType}: ${failure.errorMessage}`));
  }

  function settle(outcome: Outcome): void {
    const settled = running;
    running = null;
    settled?.settle(outcome);
  }

  function runtimeError(what: string): string {
    return `RequestId: ${running?.invocation.requestId ?? 'none'} Error: ${what}`;
  }

  function post(message: ToWorker): void {
    if (alive) worker.postMessage(message);
  }
}
