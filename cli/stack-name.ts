/** What a stack is called. */

const SERVICE = 'sealdrop';

export function stackNameOf(stage: string): string {
  return `${SERVICE}-${stage}`;
}

/** As in `serverless deploy --stage`; of another name that name. */
export function stageOf(stackName: string): string {
  return stackName.startsWith(`${SERVICE}-`) ? stackName.slice(SERVICE.length + 1) : stackName;
}
