/** The messages between the sandbox and a function's worker. One invocation at a time, so no stream needs its own port. */

/** What a worker is started with. */
export interface WorkerSettings {
  /** Folder of the unzipped bundle, Lambda's `/var/task`. */
  taskRoot: string;
  /** `folder/file.export`, as CloudFormation names it. */
  handler: string;
}

/** An error as the Node.js runtime reports it to Lambda. */
export interface FunctionFailure {
  errorType: string;
  errorMessage: string;
  trace?: string[];
}

export type ToWorker =
  | { type: 'invoke'; requestId: string; event: string; deadline: number; functionArn: string }
  /** The reader took so many bytes of the response: the worker may send as many again. */
  | { type: 'consumed'; requestId: string; bytes: number }
  /** The reader is gone. */
  | { type: 'abort'; requestId: string };

export type FromWorker =
  | { type: 'ready' }
  | { type: 'init-failed'; failure: FunctionFailure }
  | { type: 'chunk'; requestId: string; contentType: string; bytes: Uint8Array<ArrayBuffer> }
  | { type: 'returned'; requestId: string; payload: string }
  | { type: 'streamed'; requestId: string; contentType: string }
  | { type: 'failed'; requestId: string; failure: FunctionFailure }
  /** An uncaught error; the worker exits next, as the runtime does. */
  | { type: 'crashed'; failure: FunctionFailure };

/** Bytes of a response that may be under way between a worker and the reader. */
export const STREAM_WINDOW = 1024 * 1024;
