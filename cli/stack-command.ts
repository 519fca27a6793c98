/** A command that looks at a deployed stack. */
import { type Clients, closeClients, createClients } from './clients.ts';
import type { Command, CommandContext } from './command.ts';
import type { Interruption } from './interruption.ts';
import { type PlainCommand, plainCommand } from './plain-command.ts';
import type { StackArguments } from './stack-arguments.ts';

interface StackCommand<Asked> extends Omit<PlainCommand<Asked>, 'run'> {
  /** The exit code. Tidies up when it is interrupted; throws Failure, CannotLook or SealdropError. */
  run(asked: Asked, command: CommandContext, clients: Clients, interruption: Interruption): Promise<number>;
}

export function stackCommand<Asked extends StackArguments>({ run, ...definition }: StackCommand<Asked>): Command {
  return plainCommand<Asked>({
    ...definition,
    async run(asked, command, interruption) {
      const clients = createClients(asked.region);
      try {
        return await run(asked, command, clients, interruption);
      } finally {
        closeClients(clients);
      }
    },
  });
}
