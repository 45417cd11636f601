/** The mark of a tool call's or a step's state: a shape for each, so that it is told without its colour. */

import { classNames } from "../../ui/class-names.ts";
import { Spinner } from "../../ui/spinner.tsx";
import styles from "./state-mark.module.css";

interface StateMarkProps {
  state: "running" | "ok" | "error" | "stopped";
}

export function StateMark({ state }: StateMarkProps) {
  return (
    <span className={classNames(styles.mark, styles[state])}>
      {state === "running" ? (
        <Spinner />
      ) : (
        <svg
          viewBox="0 0 16 16"
          width="14"
          height="14"
          fill="none"
          stroke="currentColor"
          strokeWidth="2"
          strokeLinecap="round"
          strokeLinejoin="round"
          aria-hidden="true"
        >
          <path d={SHAPES[state]} />
        </svg>
      )}
    </span>
  );
}

const SHAPES = { ok: "m3.5 8.5 3 3 6-6.5", error: "m4.5 4.5 7 7m0-7-7 7", stopped: "M4 8h8" };
