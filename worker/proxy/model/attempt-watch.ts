/**
 * Notices that an attempt has ended while the model says nothing to it. The platform does not always tell that whoever reads an
 * answer has gone; without this the upstream would go on answering nobody.
 */

import { Silence } from "../silence.ts";

/** How long a call is silent before it is asked whether its attempt is still on, and how long until that is asked again. */
export const LOOK_MS = 12_000;

export class AttemptWatch extends Silence {
  /** Aborts when the attempt has ended. */
  readonly signal: AbortSignal;

  /** @param isOn whether the attempt is still on. Where it rejects, it is asked again. */
  constructor(isOn: () => Promise<boolean>) {
    const controller = new AbortController();
    super(LOOK_MS, () => void this.#look(isOn, controller));
    this.signal = controller.signal;
  }

  async #look(isOn: () => Promise<boolean>, controller: AbortController): Promise<void> {
    const isStillSilent = this.mark();
    const answer = await isOn().catch(() => true);
    // Something has come meanwhile, or the call has ended.
    if (!isStillSilent()) return;
    if (answer) this.touch();
    else controller.abort(new Error("the attempt has ended"));
  }
}
