/** A command around what it does: wrong arguments, help, signals, and failures that are known by name. */
import { SealdropError } from '../src/errors.ts';
import { CannotLook } from './cannot-look.ts';
import { type Command, type CommandContext, WRONG_USAGE } from './command.ts';
import { Failure, failureText } from './failure.ts';
import { type Interruption, untilInterrupted } from './interruption.ts';
import { errorMessage } from './sdk-error.ts';
import type { Environment } from './stack-arguments.ts';

/** Exit code of a command that could not look at all. */
const COULD_NOT_LOOK = 2;

export interface PlainCommand<Asked> {
  usage: string;
  /** Throws an error whose message says which argument is wrong. */
  read(args: string[], env: Environment): Asked;
  /** The exit code. Tidies up when it is interrupted; throws Failure, CannotLook or SealdropError. */
  run(asked: Asked, command: CommandContext, interruption: Interruption): Promise<number>;
  /** The JSON document that says why nothing came of it. */
  jsonFailure(message: string, failure: Failure | null): string;
}

export function plainCommand<Asked extends { help: boolean; json: boolean }>(definition: PlainCommand<Asked>): Command {
  const { usage, read, run, jsonFailure } = definition;
  return async (args, command) => {
    let asked: Asked;
    try {
      asked = read(args, command.env);
    } catch (cause) {
      command.err(`${errorMessage(cause)}\n\n${usage}`);
      return WRONG_USAGE;
    }
    if (asked.help) {
      command.out(usage);
      return 0;
    }
    const interruption = untilInterrupted();
    try {
      return await run(asked, command, interruption);
    } catch (cause) {
      const failure = cause instanceof Failure ? cause : null;
      const known = failure ?? (cause instanceof SealdropError ? cause : CannotLook.because(cause));
      if (known === null) throw cause;
      command.err(failure === null ? known.message : failureText(failure));
      if (asked.json) command.out(jsonFailure(known.message, failure));
      return failure?.exitCode ?? COULD_NOT_LOOK;
    } finally {
      interruption.forget();
    }
  };
}
