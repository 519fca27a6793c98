/** A template that cannot be deployed; the message says what, where, and what would be right. */
export class DeploymentError extends Error {
  override readonly name = 'DeploymentError';
}
