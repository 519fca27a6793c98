/** What every command of the CLI is: arguments in, text out, an exit code. */

/** Exit code of a command that was called wrongly. */
export const WRONG_USAGE = 2;

export interface CommandContext {
  env: Readonly<Record<string, string | undefined>>;
  /** One text, ended by a new line. */
  out(text: string): void;
  err(text: string): void;
}

/** @returns the exit code */
export type Command = (args: string[], context: CommandContext) => Promise<number>;
