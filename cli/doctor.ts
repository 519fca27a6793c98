/** `npx sealdrop doctor`: is the stack as the policy needs it, and what is to be done where it is not? */
import { readFileSync } from 'node:fs';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { loadPolicy } from '../src/policy/load.ts';
import type { Policy } from '../src/policy/schema.ts';
import { CannotLook } from './cannot-look.ts';
import type { CommandContext } from './command.ts';
import { type DoctorArguments, readArguments, USAGE } from './doctor/arguments.ts';
import type { DoctorContext } from './doctor/context.ts';
import { examine } from './doctor/examine.ts';
import type { ProbeOptions } from './doctor/probes/probe.ts';
import { findingsOf, jsonFailure, jsonReport, textReport } from './doctor/report.ts';
import { errorMessage } from './sdk-error.ts';
import { describeStack, type Stack } from './stack.ts';
import { stackCommand } from './stack-command.ts';

const WELL = 0;
const FINDINGS = 1;

export const doctor = stackCommand<DoctorArguments>({
  usage: USAGE,
  read: readArguments,
  jsonFailure,
  async run(asked, command, clients, interruption) {
    const policy = readPolicy(asked.policyPath);
    const stack = await describeStack(clients.cloudformation, asked.stackName);
    const { Arn: operator = 'unknown' } = await clients.sts.send(new GetCallerIdentityCommand({}));
    const context: DoctorContext = { clients, stack, policy, policyFile: asked.policyPath, operator };
    const examination = await examine(context, asked.roundTrip ? probeOptions(asked, command, stack, interruption.signal) : null);
    if (interruption.code !== null) {
      command.err('Interrupted. What was dropped to look has been removed.');
      return interruption.code;
    }
    command.out(asked.json ? jsonReport(context, examination) : textReport(context, examination));
    return findingsOf(examination).length === 0 ? WELL : FINDINGS;
  },
});

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
