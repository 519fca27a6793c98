/** Faults of what services do among themselves: S3's calls to KMS, and its events. */
import { AwsError } from '../aws-error.ts';
import type { DataKeys, KeyCaller, NotificationSink, Principal, Queues } from '../service.ts';
import type { Call, Rules } from './rules.ts';

/** KMS as a service sees it while `rules()` are not null. What a bucket key spares is spared here too: no call, no fault. */
export function faultyDataKeys(
  keys: DataKeys,
  rules: () => Rules | null,
  describe: (caller: Principal) => Omit<Call, 'service' | 'operation'>,
): DataKeys {
  const before = (operation: string, { principal }: KeyCaller) => {
    const decision = rules()?.decide({ service: 'kms', operation, ...describe(principal) }, 'inside');
    const fault = decision?.fault;
    if (fault?.kind === 'error') throw new AwsError(fault.status, fault.code, fault.message ?? 'A fault plan asked for this error.');
  };
  return {
    ...keys,
    generateDataKey(keyId, encryptionContext, caller) {
      before('GenerateDataKey', caller);
      return keys.generateDataKey(keyId, encryptionContext, caller);
    },
    decrypt(ciphertextBlob, encryptionContext, caller) {
      before('Decrypt', caller);
      return keys.decrypt(ciphertextBlob, encryptionContext, caller);
    },
  };
}

/** Where S3 sends its events; each becomes as many messages, as late, as the rules say. Delays are the queue's own: a restart keeps them. */
export function faultySink(publish: Queues['publish'], rules: () => Rules | null): NotificationSink {
  return (queueArn, body, from) => {
    const current = rules();
    const event = current === null ? null : eventOf(body);
    if (current === null || event === null) return publish(queueArn, body, from);
    for (const delaySeconds of current.decideEvent(event, queueArn.slice(queueArn.lastIndexOf(':') + 1)))
      publish(queueArn, body, from, { delaySeconds });
  };
}

/** `null` for `s3:TestEvent`, which is about no object. */
function eventOf(body: string): Call | null {
  const { Records } = JSON.parse(body) as { Records?: { eventName: string }[] };
  const name = Records?.[0]?.eventName;
  return name === undefined ? null : { service: 's3', operation: name, caller: null, byFunction: false };
}
