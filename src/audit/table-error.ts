/** The table's failures have one name: whoever needs the trail cannot go on without it. */
import { type ErrorObject, SealdropError } from '../errors.ts';
import { translateAwsError } from '../translate-aws-error.ts';

export function tableError(error: unknown, object?: ErrorObject): SealdropError {
  const translated = translateAwsError(error, {}, object);
  return new SealdropError('audit-unavailable', `the audit table: ${translated.message}`, { object, cause: error });
}
