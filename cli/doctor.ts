/** `npx sealdrop doctor`: is the stack as the policy needs it, and what is to be done where it is not? */
import { readFileSync } from 'node:fs';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { SealdropError } from '../src/errors.ts';
import { loadPolicy } from '../src/policy/load.ts';
import type { Policy } from '../src/policy/schema.ts';
import { CannotLook } from './cannot-look.ts';
import { type Clients, closeClients, createClients } from './clients.ts';
import { type Command, type CommandContext, WRONG_USAGE } from './command.ts';
import { type DoctorArguments, readArguments, USAGE } from './doctor/arguments.ts';
import type { DoctorContext } from './doctor/context.ts';
import { examine } from './doctor/examine.ts';
import type { ProbeOptions } from './doctor/probes/probe.ts';
import { findingsOf, jsonFailure, jsonReport, textReport } from './doctor/report.ts';
import { errorMessage } from './sdk-error.ts';
import { describeStack, type Stack } from './stack.ts';

const WELL = 0;
const FINDINGS = 1;
const COULD_NOT_LOOK = 2;
/** What a shell expects of a command that a signal ended: 128 and the signal's number. */
const INTERRUPTED = { SIGINT: 130, SIGTERM: 143 } as const;

export const doctor: Command = async (args, command) => {
  let asked: DoctorArguments;
  try {
    asked = readArguments(args, command.env);
  } catch (cause) {
    command.err(`${errorMessage(cause)}\n\n${USAGE}`);
    return WRONG_USAGE;
  }
  if (asked.help) {
    command.out(USAGE);
    return WELL;
  }
  const clients = createClients(asked.region);
  try {
    return await report(asked, command, clients);
  } catch (cause) {
    const known = cause instanceof SealdropError ? cause : CannotLook.because(cause);
    if (known === null) throw cause;
    command.err(known.message);
    if (asked.json) command.out(jsonFailure(known.message));
    return COULD_NOT_LOOK;
  } finally {
    closeClients(clients);
  }
};

async function report(asked: DoctorArguments, command: CommandContext, clients: Clients): Promise<number> {
  const policy = readPolicy(asked.policyPath);
  const stack = await describeStack(clients.cloudformation, asked.stackName);
  const { Arn: operator = 'unknown' } = await clients.sts.send(new GetCallerIdentityCommand({}));
  const context: DoctorContext = { clients, stack, policy, policyFile: asked.policyPath, operator };
  const interruption = untilInterrupted();
  try {
    const examination = await examine(context, asked.roundTrip ? probeOptions(asked, command, stack, interruption.signal) : null);
    if (interruption.code !== null) {
      command.err('Interrupted. What was dropped to look has been removed.');
      return interruption.code;
    }
    command.out(asked.json ? jsonReport(context, examination) : textReport(context, examination));
    return findingsOf(examination).length === 0 ? WELL : FINDINGS;
  } finally {
    interruption.forget();
  }
}

/** @throws CannotLook, SealdropError `policy-invalid` */
function readPolicy(path: string): Policy {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CannotLook(`The policy ${path} cannot be read (${errorMessage(cause)}). Name it with --policy.`, { cause });
  }
  return loadPolicy(text, path);
}

function probeOptions({ timeoutMs }: DoctorArguments, { env }: CommandContext, stack: Stack, signal: AbortSignal): ProbeOptions {
  const url = env.SEALDROP_API_URL || stack.apiUrl;
  const token = env.SEALDROP_TOKEN;
  return { timeoutMs, signal, api: url && token ? { url, token } : null };
}

/** However often it is told to stop: what was dropped is removed first. */
function untilInterrupted() {
  const abort = new AbortController();
  const interruption = {
    signal: abort.signal,
    code: null as number | null,
    forget: () => {},
  };
  const listeners = Object.entries(INTERRUPTED).map(([signal, code]) => {
    const stop = () => {
      interruption.code = code;
      abort.abort();
    };
    process.on(signal, stop);
    return () => process.off(signal, stop);
  });
  interruption.forget = () => {
    for (const forget of listeners) forget();
  };
  return interruption;
}
