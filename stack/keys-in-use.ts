/** The stack's own keys and customer key, or those that were brought. Pure. */
import { att, ref, type Text } from './cloudformation.ts';
import type { Stack } from './stack.ts';

/** What a rule without `key` means. */
export const stackKey = ({ settings }: Stack): Text => settings.kmsKey ?? att('Key', 'Arn');

/** The key of alarms and evidence. */
export const operationsKeyArn = ({ settings }: Stack): Text => settings.operationsKey ?? att('OperationsKey', 'Arn');
export const operationsKeyId = ({ settings }: Stack): Text => settings.operationsKey ?? ref('OperationsKey');

export const customerKeySecret = ({ settings }: Stack): Text => settings.customerKeySecret ?? ref('CustomerKey');

/** Whether a rule or the default encrypts under the stack's own key. */
export function usesStackKey({ policy }: Stack): boolean {
  const encryptions = [...policy.rules.map(({ encryption }) => encryption), policy.default.encryption];
  return encryptions.some(
    (encryption) => (encryption.mode === 'sse-kms' || encryption.mode === 'dsse-kms') && encryption.key === undefined,
  );
}
