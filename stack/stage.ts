/** The stage's name stands in the names of buckets (lower case) and of roles (64 characters with account and Region). */
const STAGE = /^[a-z][a-z0-9-]{0,15}[a-z0-9]$/;

/** @throws an error whose stack is its message: Serverless shows the stack of what a configuration file throws. */
export function checkedStage(stage: string): string {
  if (STAGE.test(stage)) return stage;
  const shown = new Error(`--stage ${stage}: a stage is 2 to 17 lower-case letters, digits and hyphens, and begins with a letter`);
  shown.stack = `\n${shown.message}`;
  throw shown;
}
