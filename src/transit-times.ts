/** How long the transit function lives. Pure: the stack knows it too. */

/** One life must be enough for a copy, and the copy must be young at its end: S3 dates what is made of parts by when they began. */
export const COPYING_SECONDS = 300;
