/** With which others an event waits for one run, as its trigger said when it came. */
export interface CoalesceUnder {
  trigger_id: string;
  key: string;
  /** How long a run waits for another, and at most, in milliseconds. */
  window_ms: number;
  most_ms: number;
}
