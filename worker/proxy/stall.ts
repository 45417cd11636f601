/** Notices when a stream stops without having ended. */
import { Silence } from "./silence.ts";

/** Aborts `signal` when for some time neither `touch` nor `end` was called. */
export class Stall extends Silence {
  readonly signal: AbortSignal;
  /** For how long nothing may come. */
  readonly ms: number;

  constructor(ms: number) {
    const controller = new AbortController();
    super(ms, () => controller.abort(new Error(`nothing came for ${ms} ms`)));
    this.ms = ms;
    this.signal = controller.signal;
  }
}
