/** Structured logs: one JSON line an entry, with the function, its request id and what happened. */
import { Logger } from '@aws-lambda-powertools/logger';

/** What use cases need of a logger. Fields never hold key material, tokens or object bytes. */
export interface Log {
  info(message: string, fields: Record<string, unknown>): void;
  warn(message: string, fields: Record<string, unknown>): void;
  error(message: string, fields: Record<string, unknown>): void;
}

export function createLog(serviceName: string): Log {
  const logger = new Logger({ serviceName });
  return {
    info: (message, fields) => logger.info(message, fields),
    warn: (message, fields) => logger.warn(message, fields),
    error: (message, fields) => logger.error(message, fields),
  };
}
