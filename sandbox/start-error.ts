/** What keeps a sandbox from starting (a port or a data folder in use); the message says what to do. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
