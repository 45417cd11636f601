/** What a state that is kept has told of itself: what today's code is compared with. */

export interface Kept {
  id: string;
  /** Its fire token; null for one that has none. */
  token: string | null;
}

export interface Shown {
  /** When, in RFC 3339. */
  at: string;
  /** The cookie of a browser that is signed in. */
  cookie: string;
  routines: Record<string, Kept>;
  /** Of a webhook's endpoint: its path, and the secret that its callers send; null where there are no webhooks yet. */
  webhook: { path: string; secret: string } | null;
  /** Path → what GET answered. */
  answers: Record<string, unknown>;
  /** Session → types of its events, in order. */
  transcripts: Record<string, string[]>;
}
