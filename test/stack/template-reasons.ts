/** Why a rule does not hold somewhere: by rule, then by the statement's Sid or the resource. One that nothing needs any more fails the test. */
export const REASONS: Record<string, Record<string, string>> = {
  'no wildcard among resources': {
    NameManagedKey: "The AWS managed key's id is not known before S3 makes it; the condition on its alias narrows this to that one key.",
    DecryptCustomerKey:
      'Which key a brought secret is under is not known; by its ARN in the encryption context, this opens that one secret.',
    // https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
    WriteTraces: 'X-Ray knows no resources for these actions; they are allowed only when tracing is asked for.',
  },
  'a service acts only for this account or one resource of it': {
    // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sns-permissions
    KeyEventsPublish: 'EventBridge documents no condition for topics: a stranger who knew the ARN could at worst send a false alarm.',
    // https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
    KeyEventsNotify:
      'EventBridge gives KMS no source to be held to; under this key lie alarms and audits, and no file that anyone dropped.',
  },
  'functions neither destroy nor administer': {
    DeleteSource: 'Only where policy.yml says `source: delete`: one version of a source at a time, by its id, once its copy is recorded.',
    DeleteCopies: 'Only where policy.yml allows copies in transit: these copies alone, which are to be gone within minutes.',
  },
  'what sends to its own queue may loop, and nothing else': {
    // https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
    TransitLambdaFunction:
      'It orders the deletion of what it copied, and a deletion orders nothing: should Lambda ever see 16 rounds, stopping is right.',
  },
  'buckets keep versions': {
    TransitBucket: 'A copy that is deleted is to be gone; what it is a copy of has its versions in the target bucket.',
  },
  'key policies let roles use the key, not the account': {
    AuditBucketByS3: "Who reads the audit bucket is for the account's IAM policies to say; the key works through S3 alone.",
  },
  'buckets clear away unfinished uploads and old versions': {
    AuditBucket: 'Evidence is not cleared away: Object Lock keeps it for its time, and people decide after that.',
    TransitBucket: 'It has no versions; its copies and unfinished uploads end after a day, where nobody ended them before.',
  },
  'what holds data outlives the stack': {
    ServerlessDeploymentBucket: 'Holds only what packaging makes again from the sources.',
    TransitBucket: 'Holds only copies of what is in the target bucket, for minutes.',
  },
};
