import { shownError } from './shown-error.ts';

/** The stage's name stands in the names of buckets (lower case), roles (64 characters with account and Region) and queues (80). */
const STAGE = /^[a-z][a-z0-9-]{0,14}[a-z0-9]$/;

/** @throws an error without a stack trace */
export function checkedStage(stage: string): string {
  if (STAGE.test(stage)) return stage;
  throw shownError(`--stage ${stage}: a stage is 2 to 16 lower-case letters, digits and hyphens, and begins with a letter`);
}
