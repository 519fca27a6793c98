/** Staging labels: which version is current, which was, and what callers attach themselves. */
import { invalidParameter, tooManyLabels } from './errors.ts';
import type { Secret, SecretStore } from './secret-store.ts';

export const CURRENT = 'AWSCURRENT';
export const PREVIOUS = 'AWSPREVIOUS';
export const PENDING = 'AWSPENDING';
/** Across all versions of a secret. @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html */
export const MAX_LABELS = 20;

/** Gives the labels to the version, taking them from any other; who loses AWSCURRENT gets AWSPREVIOUS. Throws `LimitExceededException`. */
export function attachLabels(store: SecretStore, secret: Secret, versionId: string, labels: string[]): void {
  const before = store.labels(secret);
  const losing = before.get(CURRENT);
  for (const label of labels) store.attach(secret, label, versionId);
  if (labels.includes(CURRENT) && losing !== undefined && losing !== versionId) store.attach(secret, PREVIOUS, losing);
  if (store.labels(secret).size > MAX_LABELS) throw tooManyLabels(MAX_LABELS);
}

/**
 * Moves or removes one label; the caller must name the version that has it now.
 * Throws `InvalidParameterException`, `LimitExceededException`.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
 */
export function moveLabel(store: SecretStore, secret: Secret, label: string, from: string | null, to: string | null): void {
  const holder = store.labels(secret).get(label);
  if (from === null && to === null) throw invalidParameter('You must specify RemoveFromVersionId, MoveToVersionId or both.');
  if (to === null && label === CURRENT) {
    throw invalidParameter(`You can only move staging label ${CURRENT} to a different secret version. It can’t be completely removed.`);
  }
  if (holder !== undefined && holder !== to && from === null) {
    throw invalidParameter(
      `The parameter RemoveFromVersionId can't be empty. Staging label ${label} is currently attached to version ${holder}, so you must explicitly reference that version in RemoveFromVersionId.`,
    );
  }
  if (from !== null && holder !== from) {
    throw invalidParameter(`The staging label ${label} is not attached to the version ${from} given in RemoveFromVersionId.`);
  }
  if (to === null) store.detach(secret, label);
  else attachLabels(store, secret, to, [label]);
}
