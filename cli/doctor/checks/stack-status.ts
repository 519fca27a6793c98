/** Whether the last deployment ended well, and of which policy it was. */
import { policyFingerprint } from '../../../src/policy/fingerprint.ts';
import type { Check } from '../context.ts';
import { error, warning } from '../finding.ts';
import { planProbes } from '../probes/plan.ts';

/** @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html */
const WELL = new Set(['CREATE_COMPLETE', 'UPDATE_COMPLETE', 'IMPORT_COMPLETE']);

export const stackStatus: Check = {
  area: 'stack',
  async run({ stack }) {
    const { name: resource, status, stage } = stack;
    if (WELL.has(status)) return [];
    const evidence = { status };
    if (status.endsWith('_IN_PROGRESS'))
      return [
        warning('stack.in-progress', {
          resource,
          what: `the stack is being changed (${status})`,
          nextStep: 'Look again when it is done.',
          evidence,
        }),
      ];
    const finding = {
      resource,
      what: `the last deployment did not end well (${status})`,
      nextStep: "Look at the stack's events for the first failure, and deploy again.",
      command: `npx serverless deploy --stage ${stage}`,
      evidence,
    };
    return [status === 'UPDATE_ROLLBACK_COMPLETE' ? warning('stack.rolled-back', finding) : error('stack.failed', finding)];
  },
};

export const policyFile: Check = {
  area: 'policy',
  async run({ stack, policy, policyFile: resource }) {
    const fingerprint = policyFingerprint(policy);
    const other =
      fingerprint === stack.policyFingerprint
        ? []
        : [
            error('policy.not-deployed', {
              resource,
              what: 'the deployed policy is another one than this file says; what is checked here is the file',
              nextStep: 'Deploy this policy, or name the file that was deployed with --policy.',
              command: `npx serverless deploy --stage ${stack.stage} --param policy=${resource}`,
              evidence: { local: fingerprint, deployed: stack.policyFingerprint },
            }),
          ];
    const dead = planProbes(policy, '').unreachable.map((rule) =>
      warning('policy.never-reached', {
        resource,
        what: `rule ${rule + 1} is never reached: the rules above take everything that it matches`,
        nextStep: 'Move it up, or take it out.',
        evidence: { rule: rule + 1, match: policy.rules[rule]?.match },
      }),
    );
    return [...other, ...dead];
  },
};
