/** What has come and waits, because the routine's gate could not be asked yet. */
import type { GateState } from "#protocol/gate.ts";
import { plural } from "../format/amounts.ts";
import { Plain } from "../session/text/plain.tsx";
import { Badge } from "../ui/badge.tsx";
import { Time } from "../ui/time.tsx";
import styles from "./triggers.module.css";

export function GateLook({ state }: { state: GateState }) {
  const { waiting, failures, fault, next_ask_at: next } = state;
  if (waiting === 0) return null;
  return (
    <div className={styles.gate}>
      {fault !== null && (
        <p className={styles.line}>
          <Badge tone="danger">
            {failures > 1 ? `Its gate could not be asked ${failures} times` : "Its gate could not be asked"}
          </Badge>
          <span className={styles.aside}>
            <Plain text={fault} />
          </span>
        </p>
      )}
      <p className={styles.aside}>
        {plural(waiting, "thing")} that came {waiting === 1 ? "waits" : "wait"} for its gate’s answer
        {next !== null && (
          <>
            ; it is asked <Time at={next} />
          </>
        )}
      </p>
    </div>
  );
}
