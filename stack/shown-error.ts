/** Serverless shows the stack of what a configuration file throws: an error whose stack is its message reads as a sentence. */
export function shownError(message: string, options?: ErrorOptions): Error {
  const error = new Error(message, options);
  error.stack = `\n${message}`;
  return error;
}

/** Whether an error came from here, and so tells a person what to do. */
export function told(error: unknown): boolean {
  return error instanceof Error && error.stack === `\n${error.message}`;
}
