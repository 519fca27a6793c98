/** The one account and Region that the sandbox is. */
export const ACCOUNT_ID = '000000000000';
export const REGION = 'us-east-1';
export const PARTITION = 'aws';
/** The one user: signs what people do by hand, and deploys the stack. */
export const ADMINISTRATOR_ARN = `arn:${PARTITION}:iam::${ACCOUNT_ID}:user/administrator`;
