/** Makes the bucket that it is given and a KMS key, and prints the key's ARN. Run by scripts/s3-encryption-client.sh. */
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';

const [bucket = ''] = process.argv.slice(2);
await new S3Client({ forcePathStyle: true }).send(new CreateBucketCommand({ Bucket: bucket }));
const { KeyMetadata: key } = await new KMSClient({}).send(new CreateKeyCommand({}));
console.log(key?.Arn);
