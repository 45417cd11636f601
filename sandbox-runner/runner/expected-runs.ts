/** Which shape the next run has, by those of the latest ones. Pure. */
import { type StartShape, shapeKey } from "../prepared/start-shape.ts";

/** So many runs count. */
const LATEST = 8;

export class ExpectedRuns {
  /** The latest last; null for a run whose agent can't be prepared. */
  #latest: (StartShape | null)[] = [];
  #likely: StartShape | null = null;

  /** The shape that most of the latest runs had; of two that are as frequent the one that was expected before. */
  get likely(): StartShape | null {
    return this.#likely;
  }

  /** A run of this shape has come. */
  add(shape: StartShape | null): void {
    this.#latest = [...this.#latest, shape].slice(-LATEST);
    const counts = Map.groupBy(this.#latest, keyOf);
    const most = Math.max(...[...counts.values()].map(({ length }) => length));
    if ((counts.get(keyOf(this.#likely))?.length ?? 0) < most) {
      this.#likely = this.#latest.findLast((one) => counts.get(keyOf(one))?.length === most) ?? null;
    }
  }
}

/** The same text for the same runs. */
export function keyOf(shape: StartShape | null): string {
  return shape === null ? "" : shapeKey(shape);
}
