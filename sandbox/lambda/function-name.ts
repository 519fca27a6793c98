/** How functions are named: by name, by ARN, or by a part of one. */
import { ACCOUNT_ID, PARTITION, REGION } from '../account.ts';

/** The ARN of a function of this account. */
export function functionArn(name: string): string {
  return `arn:${PARTITION}:lambda:${REGION}:${ACCOUNT_ID}:function:${name}`;
}

/** From a name, an ARN or a part of one. */
export function functionName(nameOrArn: string): string {
  const parts = nameOrArn.split(':');
  const at = parts.indexOf('function');
  return (at >= 0 ? parts[at + 1] : parts[0]) ?? nameOrArn;
}
