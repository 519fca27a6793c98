/** Execution environments that sign with credentials of their own, as on Lambda: which one sent a request can be told. */
import type { Credentials, Session } from '../wire/credentials.ts';
import { type Environment, type EnvironmentSettings, startEnvironment } from './environment.ts';
import type { LambdaFunction } from './functions.ts';
import { environmentVariables } from './variables.ts';

export interface SignedEnvironments {
  /** Starts one more environment of a function. Its credentials last as long as it does. */
  start(lambda: LambdaFunction, options: StartOptions): Environment;
  /** `null` for a key of anybody else. */
  find(accessKeyId: string): Environment | null;
}

interface StartOptions {
  session: Session;
  taskRoot: string;
  /** Of the sandbox's AWS services. */
  endpoint: string;
  onLog: EnvironmentSettings['onLog'];
}

export function createSignedEnvironments(credentials: Credentials): SignedEnvironments {
  const byKey = new Map<string, Environment>();
  return {
    start(lambda, { session, taskRoot, endpoint, onLog }) {
      const { credential, revoke } = credentials.issueForEnvironment(session);
      const environment = startEnvironment({
        taskRoot,
        handler: lambda.handler,
        functionArn: lambda.arn,
        memorySize: lambda.memorySize,
        timeoutSeconds: lambda.timeoutSeconds,
        variables: environmentVariables(lambda, taskRoot, credential, endpoint),
        onLog,
        onEnd() {
          revoke();
          byKey.delete(credential.accessKeyId);
        },
      });
      byKey.set(credential.accessKeyId, environment);
      return environment;
    },
    find: (accessKeyId) => byKey.get(accessKeyId) ?? null,
  };
}
