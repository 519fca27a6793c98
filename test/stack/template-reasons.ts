/** Why a rule does not hold somewhere: by rule, then by the statement's Sid or the resource. One that nothing needs any more fails the test. */
export const REASONS: Record<string, Record<string, string>> = {
  'no wildcard among resources': {
    NameManagedKey: "The AWS managed key's id is not known before S3 makes it; the condition on its alias narrows this to that one key.",
  },
};
