/** Opens what a share link leads to, for whoever has it, while it may be used. */
import { type Links, linkId } from './audit/links.ts';
import { SealdropError } from './errors.ts';
import type { ObjectWish } from './http/object-request.ts';
import { serveObject } from './open-object.ts';
import type { OpenDeps, Opened } from './opened.ts';
import { recordRefusal } from './record-refusal.ts';

export interface OpenLinkDeps extends OpenDeps {
  links: Links;
}

export interface OpenLinkRequest {
  token: string;
  requestId: string;
  /** As the gateway sees it. */
  sourceIp: string;
  /** How the object is wanted, once the link has said which. May throw. */
  wish: (key: string) => ObjectWish;
}

/**
 * A use is counted once the object is open and before its first byte: what cannot be opened costs none, and so do HEAD, 304 and waiting. What is
 * told without a use, refusals and inspections, is one event for five minutes: anybody may ask as often as they like.
 * @throws SealdropError `not-found`, the same for a link that never was, is over or was revoked, and for a state that is gone; else as `serveObject`
 */
export async function openLink(request: OpenLinkRequest, deps: OpenLinkDeps): Promise<Opened> {
  const { token, requestId, sourceIp, wish } = request;
  const found = await deps.links.find(linkId(token));
  if (found === null) throw noSuchLink();
  const { link } = found;
  const { bucket, key, versionId, etag, expires } = link;
  const caller = { subject: `link/${link.id}`, claims: {}, principal: null };
  const refuse = async () => {
    await recordRefusal({ action: 'DownloadDenied', bucket, key, caller, requestId, sparse: true }, deps);
    return noSuchLink();
  };
  if (found.isOver) throw await refuse();
  const object = { ...wish(key), key, versionId, etag, until: expires, sparse: true, caller, requestId };
  return serveObject(object, deps, async (opened) => {
    if (releasesBytes(opened) && !(await deps.links.use(link, { requestId, sourceIp, ranged: isRanged(opened) }))) throw await refuse();
  });
}

function releasesBytes(opened: Opened): boolean {
  return opened.kind === 'redirect' || (opened.kind === 'object' && opened.object.body !== null);
}

function isRanged(opened: Opened): boolean {
  return opened.kind !== 'unsatisfiable' && opened.object.range !== null;
}

function noSuchLink(): SealdropError {
  return new SealdropError('not-found', 'There is no such link, or it is over');
}
