/** A small template that keeps every rule, for tests to break. */
import { parseTemplate, type Template } from '../../sandbox/cloudformation/index.ts';

const kept = { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' };
const named = (what: string) => ({ 'Fn::Sub': `sealdrop-dev-${what}-\${AWS::AccountId}-\${AWS::Region}` });
const arn = (logicalId: string) => ({ 'Fn::GetAtt': [logicalId, 'Arn'] });
const document = (...Statement: object[]) => ({ Version: '2012-10-17', Statement });
const bucketArn = { 'Fn::Sub': `arn:\${AWS::Partition}:s3:::sealdrop-dev-data-\${AWS::AccountId}-\${AWS::Region}` };
const objectsArn = { 'Fn::Sub': `arn:\${AWS::Partition}:s3:::sealdrop-dev-data-\${AWS::AccountId}-\${AWS::Region}/*` };
const roleArn = { 'Fn::Sub': `arn:\${AWS::Partition}:iam::\${AWS::AccountId}:role/sealdrop-dev-work-\${AWS::AccountId}-\${AWS::Region}` };
const account = { AWS: { 'Fn::Sub': `arn:\${AWS::Partition}:iam::\${AWS::AccountId}:root` } };
const tlsOnly = (Action: string, Resource: unknown) => ({
  Sid: 'TlsOnly',
  Effect: 'Deny',
  Principal: '*',
  Action,
  Resource,
  Condition: { Bool: { 'aws:SecureTransport': 'false' } },
});
const forAccount = { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } };

const RESOURCES = {
  Key: {
    Type: 'AWS::KMS::Key',
    ...kept,
    Properties: {
      EnableKeyRotation: true,
      PendingWindowInDays: 30,
      KeyPolicy: document(
        { Sid: 'Administer', Effect: 'Allow', Principal: account, Action: ['kms:PutKeyPolicy', 'kms:DescribeKey'], Resource: '*' },
        {
          Sid: 'Use',
          Effect: 'Allow',
          Principal: account,
          Action: 'kms:Decrypt',
          Resource: '*',
          Condition: { ArnEquals: { 'aws:PrincipalArn': [roleArn] } },
        },
        {
          Sid: 'Grant',
          Effect: 'Allow',
          Principal: account,
          Action: 'kms:CreateGrant',
          Resource: '*',
          Condition: { Bool: { 'kms:GrantIsForAWSResource': 'true' } },
        },
      ),
    },
  },
  Alias: { Type: 'AWS::KMS::Alias', Properties: { AliasName: 'alias/sealdrop-dev', TargetKeyId: { Ref: 'Key' } } },
  Secret: { Type: 'AWS::SecretsManager::Secret', ...kept, Properties: { Name: named('customer-key') } },
  SecretPolicy: {
    Type: 'AWS::SecretsManager::ResourcePolicy',
    ...kept,
    Properties: {
      SecretId: { Ref: 'Secret' },
      ResourcePolicy: document(
        {
          Sid: 'ReadersAlone',
          Effect: 'Deny',
          Principal: '*',
          Action: 'secretsmanager:GetSecretValue',
          Resource: '*',
          Condition: { ArnNotEquals: { 'aws:PrincipalArn': [roleArn] } },
        },
        {
          Sid: 'NotAtOnce',
          Effect: 'Deny',
          Principal: '*',
          Action: 'secretsmanager:DeleteSecret',
          Resource: '*',
          Condition: { Bool: { 'secretsmanager:ForceDeleteWithoutRecovery': 'true' } },
        },
        {
          Sid: 'NotSoon',
          Effect: 'Deny',
          Principal: '*',
          Action: 'secretsmanager:DeleteSecret',
          Resource: '*',
          Condition: { NumericLessThan: { 'secretsmanager:RecoveryWindowInDays': '30' } },
        },
      ),
    },
  },
  Data: {
    Type: 'AWS::S3::Bucket',
    ...kept,
    Properties: {
      BucketName: named('data'),
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      VersioningConfiguration: { Status: 'Enabled' },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          { BucketKeyEnabled: true, ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: arn('Key') } },
        ],
      },
      LifecycleConfiguration: {
        Rules: [
          { Id: 'uploads', Status: 'Enabled', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } },
          { Id: 'versions', Status: 'Enabled', NoncurrentVersionExpiration: { NoncurrentDays: 30 } },
        ],
      },
      NotificationConfiguration: { QueueConfigurations: [{ Event: 's3:ObjectCreated:*', Queue: arn('Work') }] },
    },
  },
  DataPolicy: {
    Type: 'AWS::S3::BucketPolicy',
    ...kept,
    Properties: {
      Bucket: { Ref: 'Data' },
      PolicyDocument: document(tlsOnly('s3:*', [bucketArn, objectsArn]), {
        Sid: 'Tls12',
        Effect: 'Deny',
        Principal: '*',
        Action: 's3:*',
        Resource: [bucketArn, objectsArn],
        Condition: { NumericLessThan: { 's3:TlsVersion': '1.2' } },
      }),
    },
  },
  Table: {
    Type: 'AWS::DynamoDB::Table',
    ...kept,
    Properties: {
      TableName: named('audit'),
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      SSESpecification: { SSEEnabled: true },
      ResourcePolicy: {
        PolicyDocument: document({
          Sid: 'NeverChanged',
          Effect: 'Deny',
          Principal: '*',
          Action: ['dynamodb:UpdateItem', 'dynamodb:DeleteItem', 'dynamodb:PartiQLUpdate', 'dynamodb:PartiQLDelete'],
          Resource: { 'Fn::Sub': `arn:\${AWS::Partition}:dynamodb:\${AWS::Region}:\${AWS::AccountId}:table/sealdrop-dev-audit` },
        }),
      },
    },
  },
  Work: {
    Type: 'AWS::SQS::Queue',
    Properties: {
      QueueName: named('work'),
      SqsManagedSseEnabled: true,
      VisibilityTimeout: 60,
      RedrivePolicy: { deadLetterTargetArn: arn('Dead'), maxReceiveCount: 5 },
    },
  },
  Dead: {
    Type: 'AWS::SQS::Queue',
    Properties: { QueueName: named('dead'), SqsManagedSseEnabled: true },
  },
  WorkPolicy: {
    Type: 'AWS::SQS::QueuePolicy',
    Properties: {
      Queues: [{ Ref: 'Work' }],
      PolicyDocument: document(tlsOnly('sqs:*', arn('Work')), {
        Sid: 'Events',
        Effect: 'Allow',
        Principal: { Service: 's3.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Resource: arn('Work'),
        Condition: forAccount,
      }),
    },
  },
  DeadPolicy: {
    Type: 'AWS::SQS::QueuePolicy',
    Properties: { Queues: [{ Ref: 'Dead' }], PolicyDocument: document(tlsOnly('sqs:*', arn('Dead'))) },
  },
  Topic: { Type: 'AWS::SNS::Topic', Properties: { TopicName: 'sealdrop-dev-alarms', KmsMasterKeyId: { Ref: 'Key' } } },
  TopicPolicy: {
    Type: 'AWS::SNS::TopicPolicy',
    Properties: { Topics: [{ Ref: 'Topic' }], PolicyDocument: document(tlsOnly('sns:Publish', { Ref: 'Topic' })) },
  },
  Alarm: {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      AlarmName: 'sealdrop-dev-dead',
      Namespace: 'AWS/SQS',
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Dimensions: [{ Name: 'QueueName', Value: { 'Fn::GetAtt': ['Dead', 'QueueName'] } }],
      ComparisonOperator: 'GreaterThanThreshold',
      Threshold: 0,
      EvaluationPeriods: 1,
      TreatMissingData: 'notBreaching',
      AlarmActions: [{ Ref: 'Topic' }],
    },
  },
  KeyEvents: {
    Type: 'AWS::Events::Rule',
    Properties: {
      Name: 'sealdrop-dev-keys',
      EventPattern: { source: ['aws.kms'] },
      Targets: [{ Id: 'topic', Arn: { Ref: 'Topic' }, DeadLetterConfig: { Arn: arn('Dead') } }],
    },
  },
  Role: {
    Type: 'AWS::IAM::Role',
    Properties: {
      RoleName: named('work'),
      AssumeRolePolicyDocument: document({ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }),
      Policies: [
        {
          PolicyName: 'work',
          PolicyDocument: document(
            { Sid: 'Read', Effect: 'Allow', Action: 's3:GetObject', Resource: objectsArn },
            {
              Sid: 'Record',
              Effect: 'Allow',
              Action: ['dynamodb:PutItem'],
              Resource: arn('Table'),
              Condition: {
                'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['audit#*'] },
                Null: { 'dynamodb:LeadingKeys': 'false' },
              },
            },
            {
              Sid: 'Decrypt',
              Effect: 'Allow',
              Action: ['kms:Decrypt'],
              Resource: arn('Key'),
              Condition: { StringEquals: { 'kms:ViaService': { 'Fn::Sub': `s3.\${AWS::Region}.\${AWS::URLSuffix}` } } },
            },
          ),
        },
      ],
    },
  },
  Group: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: '/aws/lambda/sealdrop-dev-work', RetentionInDays: 30 } },
  Function: {
    Type: 'AWS::Lambda::Function',
    Properties: {
      FunctionName: 'sealdrop-dev-work',
      Code: { S3Bucket: 'code', S3Key: 'work.zip' },
      Handler: 'work.handler',
      Runtime: 'nodejs24.x',
      Timeout: 10,
      Role: arn('Role'),
      Environment: { Variables: { CUSTOMER_KEY_SECRET: { Ref: 'Secret' }, TABLE: { Ref: 'Table' } } },
    },
  },
  Source: {
    Type: 'AWS::Lambda::EventSourceMapping',
    Properties: { EventSourceArn: arn('Work'), FunctionName: arn('Function'), FunctionResponseTypes: ['ReportBatchItemFailures'] },
  },
  Api: { Type: 'AWS::ApiGateway::RestApi', Properties: { Name: 'dev-sealdrop' } },
  Health: {
    Type: 'AWS::ApiGateway::Resource',
    Properties: { RestApiId: { Ref: 'Api' }, ParentId: { 'Fn::GetAtt': ['Api', 'RootResourceId'] }, PathPart: 'health' },
  },
  HealthGet: {
    Type: 'AWS::ApiGateway::Method',
    Properties: { RestApiId: { Ref: 'Api' }, ResourceId: { Ref: 'Health' }, HttpMethod: 'GET', AuthorizationType: 'NONE' },
  },
  Permission: {
    Type: 'AWS::Lambda::Permission',
    Properties: {
      FunctionName: arn('Function'),
      Action: 'lambda:InvokeFunction',
      Principal: 'apigateway.amazonaws.com',
      SourceArn: { 'Fn::Sub': `arn:\${AWS::Partition}:execute-api:\${AWS::Region}:\${AWS::AccountId}:\${Api}/*/*` },
    },
  },
};

/** A new one each time. */
export function sampleTemplate(): Template {
  return parseTemplate(structuredClone({ Resources: RESOURCES, Outputs: { DataName: { Value: { Ref: 'Data' } } } }));
}
