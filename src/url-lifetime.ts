/** How long a URL of S3's that a caller is given can be used. Pure: the stack knows it too. */

/** Long enough to begin a download, and for a player to seek; a download that has begun goes on. Whoever comes later asks the API again. */
export const URL_LIFETIME_SECONDS = 300;
