/** What is wrong with a policy, by name. Services answer it as their own `MalformedPolicy…` error. */
export class PolicyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PolicyError';
  }
}
