/** What callers must be allowed to use a key. @see https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html */
import type { z } from 'zod';
import { ACCOUNT_ID, REGION } from '../account.ts';
import type { Judge, RequestContext } from '../iam/judge.ts';
import { parsePolicy } from '../iam/policy.ts';
import { jsonRefusal } from '../iam/refusal.ts';
import type { KeyCaller } from '../service.ts';
import { type Asked, type JsonObject, type JsonOperation, type OperationContext, operation } from '../wire/json-service.ts';
import { aliasArn, type KeyRecord, type KeyStore, keyArn } from './key-store.ts';

/** Asks the key's policy first of all: it allows by itself, or hands the decision to the account's identity policies. */
export function askKey(keys: KeyStore, key: KeyRecord, context: RequestContext = {}): Asked {
  return {
    resource: keyArn(key.id),
    resourcePolicy: parsePolicy(key.policy, 'resource'),
    rule: 'key',
    context: {
      'kms:CallerAccount': ACCOUNT_ID,
      'kms:KeyOrigin': 'AWS_KMS',
      'kms:KeySpec': 'SYMMETRIC_DEFAULT',
      'kms:KeyUsage': 'ENCRYPT_DECRYPT',
      'kms:ResourceAliases': keys.aliasNames(key.id),
      ...context,
    },
  };
}

/** As above, for a request that names the key. Throws `NotFoundException`. */
export function askNamedKey(keys: KeyStore, name: string, context: RequestContext = {}): Asked {
  return askKey(keys, keys.require(name), { ...context, ...requestAlias(name) });
}

/**
 * The alias by which a request names a key, if it does.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-request-alias
 */
export function requestAlias(name: string | undefined): RequestContext {
  const alias = /(?:^|:)(alias\/.+)$/.exec(name ?? '')?.[1];
  return alias === undefined ? {} : { 'kms:RequestAlias': alias };
}

/** An operation on one key: the key's policy is asked. */
export function keyOperation(keys: KeyStore) {
  return function ofKey<Schema extends z.ZodType<{ KeyId: string }>>(
    action: string,
    schema: Schema,
    run: (input: z.output<Schema>, context: OperationContext) => JsonObject,
    contextOf: (input: z.output<Schema>) => RequestContext = () => ({}),
  ): JsonOperation {
    return operation(action, schema, run, (input) => [askNamedKey(keys, input.KeyId, contextOf(input))]);
  };
}

/** Aliases have no policy of their own. */
export function askAlias(name: string): Asked {
  return { resource: aliasArn(name) };
}

/** The condition keys of a cryptographic operation. */
export function encryptionContextKeys(context: Record<string, string>): RequestContext {
  const names = Object.keys(context);
  if (names.length === 0) return {};
  const pairs = names.map((name) => [`kms:EncryptionContext:${name.toLowerCase()}`, context[name] ?? ''] as const);
  return { 'kms:EncryptionContextKeys': names, ...Object.fromEntries(pairs) };
}

/** For a service that acts for its caller. Throws `AccessDeniedException`. */
export function requireKey(judge: Judge, asked: Asked, action: string, { principal, viaService }: KeyCaller): void {
  const context = {
    'aws:SecureTransport': 'true',
    'aws:ViaAWSService': 'true',
    'kms:ViaService': `${viaService}.${REGION}.amazonaws.com`,
    ...asked.context,
  };
  const { resource, resourcePolicy = null } = asked;
  judge.require({ principal, action, resource, context, resourcePolicy }, jsonRefusal, asked.rule);
}
