/** `npx sealdrop token`: a token of the sandbox's issuer, alone on standard output. */
import { plainCommand } from './plain-command.ts';
import { readArguments, sandboxUrl, type TokenArguments, USAGE } from './token/arguments.ts';
import { issueToken } from './token/issue.ts';

const GIVEN = 0;

export const token = plainCommand<TokenArguments>({
  usage: USAGE,
  read: readArguments,
  jsonFailure: (message) => message,
  async run(asked, command) {
    command.out(await issueToken(sandboxUrl(command.env), asked));
    return GIVEN;
  },
});
