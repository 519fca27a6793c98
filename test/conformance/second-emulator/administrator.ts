/**
 * Makes an IAM user who may do everything, on an emulator at argv[2], and prints its credentials for a shell to evaluate.
 * The emulator's own first credential is the account's root, whom it asks no policy.
 */
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam';

const UserName = 'conformance';
const everything = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };

const [, , endpoint = ''] = process.argv;
const iam = new IAMClient({ endpoint, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });
await iam.send(new CreateUserCommand({ UserName }));
await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'everything', PolicyDocument: JSON.stringify(everything) }));
const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
console.log(`AWS_ACCESS_KEY_ID=${AccessKey?.AccessKeyId} AWS_SECRET_ACCESS_KEY=${AccessKey?.SecretAccessKey}`);
