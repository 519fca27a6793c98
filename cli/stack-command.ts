/** A command that looks at a deployed stack: wrong arguments, help, clients, and what it means when nothing can be looked at. */
import { SealdropError } from '../src/errors.ts';
import { CannotLook } from './cannot-look.ts';
import { type Clients, closeClients, createClients } from './clients.ts';
import { type Command, type CommandContext, WRONG_USAGE } from './command.ts';
import { type Interruption, untilInterrupted } from './interruption.ts';
import { errorMessage } from './sdk-error.ts';
import type { Environment, StackArguments } from './stack-arguments.ts';

/** Exit code of a command that could not look at all. */
export const COULD_NOT_LOOK = 2;

interface StackCommand<Asked> {
  usage: string;
  /** Throws an error whose message says which argument is wrong. */
  read(args: string[], env: Environment): Asked;
  /** The exit code. Tidies up when it is interrupted; throws CannotLook or SealdropError. */
  run(asked: Asked, command: CommandContext, clients: Clients, interruption: Interruption): Promise<number>;
  /** The JSON document that says why nothing could be looked at. */
  jsonFailure(message: string): string;
}

export function stackCommand<Asked extends StackArguments>({ usage, read, run, jsonFailure }: StackCommand<Asked>): Command {
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
    const clients = createClients(asked.region);
    const interruption = untilInterrupted();
    try {
      return await run(asked, command, clients, interruption);
    } catch (cause) {
      const known = cause instanceof SealdropError ? cause : CannotLook.because(cause);
      if (known === null) throw cause;
      command.err(known.message);
      if (asked.json) command.out(jsonFailure(known.message));
      return COULD_NOT_LOOK;
    } finally {
      interruption.forget();
      closeClients(clients);
    }
  };
}
