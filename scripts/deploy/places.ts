/** Where Cloudflare keeps things: as its API takes it for D1, R2 and queues (npm package `cloudflare` 7.3.0, its types). */

/** Hints for a new database or bucket; a jurisdiction goes before them. */
export const LOCATIONS = ["weur", "eeur", "enam", "wnam", "apac", "oc"] as const;

/** Jurisdictions in which all of it can be kept. Objects and buckets also know `fedramp-high`, databases and queues don't. */
export const JURISDICTIONS = ["eu", "us", "fedramp"] as const;
