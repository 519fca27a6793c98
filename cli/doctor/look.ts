/** One look at a resource: what its answer means, what its absence means, and what it means when nobody may look. */
import { CannotLook } from '../cannot-look.ts';
import { errorMessage, errorName, isDenied } from '../sdk-error.ts';
import type { Finding, Subject } from './finding.ts';
import { warning } from './finding.ts';

export interface Question {
  subject: Subject;
  /** Name or ARN of what is looked at. */
  resource: string;
  /** The IAM action that allows it. */
  action: string;
}

/** Error names of a service → what they say of the resource, such as that it is not there. */
type Refusals = Readonly<Record<string, () => Finding[]>>;

/**
 * A look that is refused to the operator is a finding by itself, never a pass.
 * @throws CannotLook when nothing at all can be looked at: no credentials, no connection
 */
export async function look<Answer>(
  question: Question,
  ask: () => Promise<Answer>,
  judge: (answer: Answer) => Finding[],
  refusals: Refusals = {},
): Promise<Finding[]> {
  try {
    return judge(await ask());
  } catch (cause) {
    const refusal = refusals[errorName(cause)];
    if (refusal !== undefined) return refusal();
    const hopeless = CannotLook.because(cause);
    if (hopeless !== null) throw hopeless;
    return [couldNotLook(question, cause)];
  }
}

/** @param remedy over what is otherwise to be done where it is denied */
export function couldNotLook({ subject, resource, action }: Question, cause: unknown, remedy?: string): Finding {
  const denied = isDenied(cause);
  return warning(`${subject}.could-not-look`, {
    resource,
    what: denied ? `could not look: ${action} is denied` : `could not look: ${action} failed (${errorName(cause)})`,
    nextStep: denied ? (remedy ?? `Grant ${action} to whoever runs this, or run it as somebody who has it.`) : nextStepOf(cause),
    evidence: { action, error: errorName(cause), message: errorMessage(cause) },
  });
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html: 405 to whoever has the right and is of another account. */
function nextStepOf(cause: unknown): string {
  if (errorName(cause) === 'MethodNotAllowed') return "Run it in the account that owns the bucket: S3 shows this to nobody else's.";
  return 'Try again; if it stays, look at the cause.';
}
