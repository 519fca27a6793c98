/** Versions and delete markers. */
import { DeleteObjectCommand, ListObjectVersionsCommand, PutBucketVersioningCommand } from '@aws-sdk/client-s3';
import { holds, matches, refused, same } from '../difference.ts';
import { type Expectation, expectation } from '../expectation.ts';
import type { Stage } from '../stage.ts';
import { type At, get, head, put, text } from './objects.ts';

const GUIDE = ['s3-guide', 'versioning-workflows'] as const;
const MARKERS = ['s3-guide', 'DeleteMarker'] as const;
const SUSPENDED = ['s3-guide', 'AddingObjectstoVersionSuspendedBuckets'] as const;

export const VERSIONS: Expectation[] = [
  expectation('s3.versions.kept', 'every write is a version under its own id', GUIDE, async (stage) => {
    const one = await put(stage, { Bucket: await stage.versionedBucket(), Body: 'one' });
    const two = await put(stage, { ...one.at, Body: 'two' });
    matches('a version id', one.answer.VersionId, /^[^"\s]{1,1024}$/);
    holds('both differ', one.answer.VersionId !== two.answer.VersionId);
    same('the older', await text(stage, one.at, { VersionId: one.answer.VersionId }), 'one');
    same('the current', await text(stage, one.at), 'two');
    const { Versions = [] } = await list(stage, one.at);
    same(
      'the list',
      Versions.map(({ VersionId, IsLatest }) => [VersionId, IsLatest]),
      [
        [two.answer.VersionId, true],
        [one.answer.VersionId, false],
      ],
    );
  }),
  expectation('s3.versions.none', 'a bucket without versioning names no version', GUIDE, async (stage) => {
    const { at, answer } = await put(stage);
    same('the version', answer.VersionId, undefined);
    same('what "null" is', await text(stage, at, { VersionId: 'null' }), 'content');
  }),
  expectation('s3.versions.marker', 'a delete hides the object behind a marker', MARKERS, async (stage) => {
    const { at, answer } = await put(stage, { Bucket: await stage.versionedBucket() });
    const deleted = await stage.s3.send(new DeleteObjectCommand(at));
    same('it says so', deleted.DeleteMarker, true);
    await refused(get(stage, at), '404 NoSuchKey');
    await refused(head(stage, at), '404');
    same('the version', await text(stage, at, { VersionId: answer.VersionId }), 'content');
    const { DeleteMarkers = [] } = await list(stage, at);
    same(
      'the markers',
      DeleteMarkers.map(({ VersionId, IsLatest }) => [VersionId, IsLatest]),
      [[deleted.VersionId, true]],
    );
  }),
  expectation('s3.versions.marker-read', 'reading a marker by its version is MethodNotAllowed', MARKERS, async (stage) => {
    const { at } = await put(stage, { Bucket: await stage.versionedBucket() });
    const { VersionId } = await stage.s3.send(new DeleteObjectCommand(at));
    await refused(get(stage, at, { VersionId }), '405 MethodNotAllowed');
    await refused(head(stage, at, { VersionId }), '405');
  }),
  expectation('s3.versions.marker-removed', 'without its marker the object is back', ['s3-guide', 'RemDelMarker'], async (stage) => {
    const { at } = await put(stage, { Bucket: await stage.versionedBucket() });
    const { VersionId } = await stage.s3.send(new DeleteObjectCommand(at));
    const removed = await stage.s3.send(new DeleteObjectCommand({ ...at, VersionId }));
    same('it says so', removed.DeleteMarker, true);
    same('what is read', await text(stage, at), 'content');
  }),
  expectation(
    's3.versions.deleted',
    'a version that was deleted is gone, and the one before it current',
    ['s3-guide', 'DeletingObjectVersions'],
    async (stage) => {
      const { at } = await put(stage, { Bucket: await stage.versionedBucket(), Body: 'one' });
      const two = await put(stage, { ...at, Body: 'two' });
      const { VersionId } = two.answer;
      await stage.s3.send(new DeleteObjectCommand({ ...at, VersionId }));
      same('what is current', await text(stage, at), 'one');
      await refused(get(stage, at, { VersionId }), '404 NoSuchVersion');
    },
  ),
  expectation('s3.versions.suspended', 'with versioning suspended writes are the null version', SUSPENDED, async (stage) => {
    const Bucket = await stage.newBucket();
    const set = (Status: 'Enabled' | 'Suspended') =>
      stage.s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
    await set('Enabled');
    const one = await put(stage, { Bucket, Body: 'one' });
    await set('Suspended');
    await put(stage, { ...one.at, Body: 'two' });
    await put(stage, { ...one.at, Body: 'three' });
    const { Versions = [] } = await list(stage, one.at);
    same(
      'the versions',
      Versions.map(({ VersionId }) => VersionId),
      ['null', one.answer.VersionId],
    );
    same('the current', await text(stage, one.at), 'three');
  }),
];

function list(stage: Stage, { Bucket, Key }: At) {
  return stage.s3.send(new ListObjectVersionsCommand({ Bucket, Prefix: Key }));
}
