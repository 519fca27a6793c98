/** The stack's own keys and customer key, or those that were brought. Pure. */
import { namesMode } from '../src/policy/keys.ts';
import { att, ref, type Text } from './cloudformation.ts';
import type { Stack } from './stack.ts';

/** What a rule without `key` means. */
export const stackKey = ({ settings }: Stack): Text => settings.kmsKey ?? att('Key', 'Arn');

/** The key of alarms and evidence. */
export const operationsKeyArn = ({ settings }: Stack): Text => settings.operationsKey ?? att('OperationsKey', 'Arn');
export const operationsKeyId = ({ settings }: Stack): Text => settings.operationsKey ?? ref('OperationsKey');

export const customerKeySecret = ({ settings }: Stack): Text => settings.customerKeySecret ?? ref('CustomerKey');

/** `null`: no rule asks for a wrapping key, and none was brought. */
export const wrappingKeySecret = ({ settings, policy }: Stack): Text | null =>
  settings.wrappingKeySecret ?? (namesMode(policy, 'cse-aes') ? ref('WrappingKey') : null);
