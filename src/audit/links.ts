/**
 * Share links in the audit table: what each opens, how often it was used, and whether it still may be. Nothing here changes an item: a use is one, and
 * so is a revocation.
 */
import { createHash, randomInt } from 'node:crypto';
import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { SealdropError } from '../errors.ts';
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
  /** Of ranges: whose they are, as a digest. For five minutes all further ones of this reader are this one use. */
  reader?: string;
}

/** Who asks, and for what. */
export interface LinkReader {
  requestId: string;
  ranged: boolean;
  /** The caller's IP address, as the gateway sees it. */
  sourceIp: string;
}

/** All throw SealdropError `audit-unavailable`. */
export interface Links {
  create(link: Link): Promise<void>;
  /** `null`: there never was one. `isOver`: it is revoked or too old, or used up and no use of it is going on. */
  find(id: string): Promise<{ link: Link; isOver: boolean } | null>;
  /** @returns whether it may be used, once more or further; it then is */
  use(link: Link, reader: LinkReader): Promise<boolean>;
  /** @param by who revokes it */
  revoke(link: Link, by: string): Promise<void>;
}

const USE_MS = 5 * 60_000;

/** Each try takes one of the numbers that are free, so that those who come at once seldom want the same. */
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
    const items = (answer.Items ?? []).map((item) => unmarshall(item) as { sk: string; link?: Link; use?: Use; revoked?: object });
    const link = items.find((item) => item.link !== undefined)?.link ?? null;
    const uses = items.flatMap(({ use, sk }) => (use === undefined ? [] : [{ ...use, number: Number(sk.slice('use#'.length)) }]));
    return { link, uses, revoked: items.some(({ revoked }) => revoked !== undefined) };
  }
  const item = (id: string, sk: string, member: object) => ({ pk: partition(id), sk, ...member });
  const goesOn = ({ reader, at }: Use) => reader !== undefined && now() - Date.parse(at) < USE_MS;

  return {
    async create(link) {
      const isNew = await writeNewItem(dynamodb, tableName, item(link.id, 'link', { link }));
      if (!isNew) throw new SealdropError('audit-unavailable', 'a link of this id is there already');
    },

    async find(id) {
      const { link, uses, revoked } = await read(id);
      if (link === null) return null;
      return { link, isOver: revoked || Date.parse(link.expires) <= now() || (uses.length >= link.uses && !uses.some(goesOn)) };
    },

    async use(link, { requestId, ranged, sourceIp }) {
      const reader = readerOf(link, sourceIp);
      for (let tries = 0; tries < MOST_TRIES; tries += 1) {
        const { uses, revoked } = await read(link.id);
        if (revoked || Date.parse(link.expires) <= now()) return false;
        if (ranged && uses.some((use) => use.reader === reader && goesOn(use))) return true;
        if (uses.length >= link.uses) return false;
        const use: Use = { at: new Date(now()).toISOString(), requestId, ...(ranged ? { reader } : {}) };
        if (await writeNewItem(dynamodb, tableName, item(link.id, `use#${freeNumber(link, uses)}`, { use }))) return true;
      }
      throw new SealdropError('audit-unavailable', 'a link is being used by too many at once');
    },

    async revoke({ id }, by) {
      await writeNewItem(dynamodb, tableName, item(id, 'revoked', { revoked: { by, at: new Date(now()).toISOString() } }));
    },
  };
}

/** One that nobody has taken, any of them. */
function freeNumber(link: Link, taken: { number: number }[]): number {
  const numbers = new Set(taken.map(({ number }) => number));
  const free = Array.from({ length: link.uses }, (_, index) => index + 1).filter((number) => !numbers.has(number));
  return free[randomInt(free.length)] ?? 1;
}

/** Of no use to who wants to know addresses: it differs from link to link. */
function readerOf({ id }: Link, sourceIp: string): string {
  return createHash('sha256').update(`${id} ${sourceIp}`).digest('hex').slice(0, 32);
}

function partition(id: string): string {
  return `link#${id}`;
}
