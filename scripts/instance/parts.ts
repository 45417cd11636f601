/** What has been started, so that all of it can be stopped, in reverse. */

/** @param isHurried the person does not want to wait. May be called again while it is still at work. */
type Stop = (isHurried: boolean) => Promise<void>;

export class Parts {
  readonly #stops: Stop[] = [];

  add(stop: Stop): void {
    this.#stops.push(stop);
  }

  /** Stops the newest part first; hurried, all at once. Never throws. */
  async stop(isHurried: boolean): Promise<void> {
    const newestFirst = this.#stops.toReversed();
    if (isHurried) {
      await Promise.allSettled(newestFirst.map((stop) => stop(true)));
      return;
    }
    for (const stop of newestFirst) await stop(false).catch(() => undefined);
  }
}
