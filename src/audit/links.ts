/**
 * Share links in the audit table: what each opens, how often it was used, and whether it still may be. Items are only added: a use is one, and
 * so is a revocation.
 */
import { createHash } from 'node:crypto';
import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { SealdropError } from '../errors.ts';
import { readWindow } from './event.ts';
import { tableError } from './table-error.ts';
import { writeNewItem } from './write-items.ts';

export interface Link {
  /** What it is called where it is told of; it opens nothing. */
  id: string;
  bucket: string;
  key: string;
  versionId: string;
  /** With quotes, as S3 sends it. */
  etag: string;
  /** Who made it: the subject of a token, or an ARN. */
  createdBy: string;
  /** ISO 8601. */
  createdAt: string;
  expires: string;
  /** How often it may be used. */
  uses: number;
}

interface Use {
  /** ISO 8601. */
  at: string;
  requestId: string;
  /** Of ranges: when the five minutes began within which all of them are this one use. */
  window?: string;
}

/** All throw SealdropError `audit-unavailable`. */
export interface Links {
  create(link: Link): Promise<void>;
  /** `null`: there never was one. `isOver`: it is revoked, too old, or used up but for ranges of a use that has begun. */
  find(id: string): Promise<{ link: Link; isOver: boolean } | null>;
  /** @returns whether it may be used once more; it then was */
  use(link: Link, request: { requestId: string; ranged: boolean }): Promise<boolean>;
  /** @param by who revokes it */
  revoke(link: Link, by: string): Promise<void>;
}

/** Ranges that begin at once all want to be the first; each takes a look for every one that was quicker. */
const MOST_TRIES = 20;

/** What a token is known by; nobody finds the token from it, so that whoever reads the table opens nothing. */
export function linkId(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** @param now milliseconds; for tests */
export function createLinks(dynamodb: DynamoDBClient, tableName: string, now: () => number = Date.now): Links {
  async function read(id: string) {
    const query = new QueryCommand({
      TableName: tableName,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: partition(id) } },
      ConsistentRead: true,
    });
    const answer = await dynamodb.send(query).catch((error: unknown) => {
      throw tableError(error);
    });
    // Only this file writes under this key, so the stored shape is one of the three.
    const items = (answer.Items ?? []).map((item) => unmarshall(item) as { link?: Link; use?: Use; revoked?: object });
    const link = items.find((item) => item.link !== undefined)?.link ?? null;
    const uses = items.flatMap(({ use }) => (use === undefined ? [] : [use]));
    return { link, uses, revoked: items.some(({ revoked }) => revoked !== undefined) };
  }
  const item = (id: string, sk: string, member: object) => ({ pk: partition(id), sk, ...member });
  const window = () => readWindow(now()).from;

  return {
    async create(link) {
      const isNew = await writeNewItem(dynamodb, tableName, item(link.id, 'link', { link }));
      if (!isNew) throw new SealdropError('audit-unavailable', 'a link of this id is there already');
    },

    async find(id) {
      const { link, uses, revoked } = await read(id);
      if (link === null) return null;
      const begun = uses.some((use) => use.window === window());
      return { link, isOver: revoked || Date.parse(link.expires) <= now() || (uses.length >= link.uses && !begun) };
    },

    async use(link, { requestId, ranged }) {
      for (let tries = 0; tries < MOST_TRIES; tries += 1) {
        const { uses, revoked } = await read(link.id);
        if (revoked || Date.parse(link.expires) <= now()) return false;
        if (ranged && uses.some((use) => use.window === window())) return true;
        if (uses.length >= link.uses) return false;
        const use: Use = { at: new Date(now()).toISOString(), requestId, ...(ranged ? { window: window() } : {}) };
        if (await writeNewItem(dynamodb, tableName, item(link.id, `use#${uses.length + 1}`, { use }))) return true;
      }
      throw new SealdropError('audit-unavailable', 'a link is being used by too many at once');
    },

    async revoke({ id }, by) {
      await writeNewItem(dynamodb, tableName, item(id, 'revoked', { revoked: { by, at: new Date(now()).toISOString() } }));
    },
  };
}

function partition(id: string): string {
  return `link#${id}`;
}
