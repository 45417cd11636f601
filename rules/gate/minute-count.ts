/** How many things there were in the last minute: a window that slides, exact to the millisecond. Pure. */

export const MINUTE_MS = 60_000;

interface Moment {
  atMs: number;
  count: number;
}

export class MinuteCount {
  /** In order of time; those before `#first` have been forgotten. */
  #moments: Moment[] = [];
  #first = 0;
  #total = 0;

  /** How many there are within the minute up to the last call of `forget`. */
  get total(): number {
    return this.#total;
  }

  add(atMs: number): void {
    const place = this.#placeOf(atMs);
    const moment = this.#moments[place - 1];
    if (place > this.#first && moment?.atMs === atMs) moment.count += 1;
    else this.#moments.splice(place, 0, { atMs, count: 1 });
    this.#total += 1;
  }

  /** Takes back one that was added with this time. One that has been forgotten changes nothing. */
  remove(atMs: number): void {
    const place = this.#placeOf(atMs) - 1;
    const moment = this.#moments[place];
    if (place < this.#first || moment?.atMs !== atMs) return;
    moment.count -= 1;
    this.#total -= 1;
    if (moment.count === 0) this.#moments.splice(place, 1);
  }

  /** Forgets what is a minute old. */
  forget(nowMs: number): void {
    for (let oldest = this.#oldest(); oldest !== null && oldest.atMs + MINUTE_MS <= nowMs; oldest = this.#oldest()) {
      this.#total -= oldest.count;
      this.#first += 1;
    }
    if (this.#first <= this.#moments.length / 2) return;
    this.#moments = this.#moments.slice(this.#first);
    this.#first = 0;
  }

  /**
   * Until when there are at least `limit` of them, should none be added, in Unix milliseconds; null when there are fewer
   * now.
   */
  fullUntil(limit: number): number | null {
    let left = this.#total;
    for (let place = this.#first; left >= limit; place += 1) {
      const moment = this.#moments[place];
      if (moment === undefined) return null;
      left -= moment.count;
      if (left < limit) return moment.atMs + MINUTE_MS;
    }
    return null;
  }

  #oldest(): Moment | null {
    return this.#moments[this.#first] ?? null;
  }

  /** The place of a moment in the list: after all that are not later. It is looked for from the end, where most belong. */
  #placeOf(atMs: number): number {
    let place = this.#moments.length;
    while (place > this.#first && (this.#moments[place - 1]?.atMs ?? 0) > atMs) place -= 1;
    return place;
  }
}
