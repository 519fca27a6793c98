/** Opens what a share link leads to, for whoever has it, while it may be used. */
import type { Link, Links } from './audit/links.ts';
import { linkId } from './audit/links.ts';
import { SealdropError } from './errors.ts';
import type { ObjectWish } from './http/object-request.ts';
import { type OpenDeps, type Opened, serveObject } from './open-object.ts';
import { recordRefusal } from './record-refusal.ts';

export interface OpenLinkDeps extends OpenDeps {
  links: Links;
}

export interface OpenLinkRequest {
  token: string;
  requestId: string;
  /** How the object is wanted, once the link has said which. May throw. */
  wish: (key: string) => ObjectWish;
}

/**
 * A use is counted once the object is open and before its first byte: what cannot be served costs none, and so do HEAD, 304 and waiting.
 * @throws SealdropError `not-found`, the same for a link that never was, is over or was revoked, and for a version that is gone; else as `serveObject`
 */
export async function openLink(request: OpenLinkRequest, deps: OpenLinkDeps): Promise<Opened> {
  const { token, requestId, wish } = request;
  const found = await deps.links.find(linkId(token));
  if (found === null) throw noSuchLink();
  const { link } = found;
  const caller = { subject: `link/${link.id}`, claims: {}, principal: null };
  const refuse = async () => {
    await recordRefusal({ action: 'DownloadDenied', bucket: link.bucket, key: link.key, caller, requestId }, deps);
    return noSuchLink();
  };
  if (found.isOver) throw await refuse();
  return serveObject({ ...wish(link.key), key: link.key, versionId: link.versionId, caller, requestId }, deps, async (opened) => {
    if (!isLinked(opened, link)) throw noSuchLink();
    if (releasesBytes(opened) && !(await deps.links.use(link, { requestId, ranged: isRanged(opened) }))) throw await refuse();
  });
}

/** A version of a bucket without versions is replaced by the next write. */
function isLinked(opened: Opened, { etag }: Link): boolean {
  return opened.kind === 'unsatisfiable' || opened.object.etag === etag;
}

function releasesBytes(opened: Opened): boolean {
  return opened.kind === 'redirect' || (opened.kind === 'object' && opened.object.body !== null);
}

function isRanged(opened: Opened): boolean {
  return opened.kind === 'object' && opened.object.range !== null;
}

function noSuchLink(): SealdropError {
  return new SealdropError('not-found', 'There is no such link, or it is over');
}
