/** Of a watch that is saved: what it would see now, what it saw last, and beginning anew. */
import { lazy, Suspense } from "react";
import { WatchLook } from "../../routines/watch-look.tsx";
import { isSame, writtenTrigger } from "../draft.ts";
import styles from "../editor.module.css";
import { useRoutineInEditor } from "../routine-context.ts";
import type { WatchInput } from "./kinds.ts";

/** Few routines have one. */
const WatchTrial = lazy(async () => ({ default: (await import("./watch-trial.tsx")).WatchTrial }));

export function WatchTries({ trigger }: { trigger: WatchInput }) {
  const { id, saved } = useRoutineInEditor();
  const kept = saved.find((one) => one.id === trigger.id);
  if (id === null || trigger.id === undefined || kept?.type !== "watch") {
    return <p className={styles.hint}>Save the routine first: then what it would see is shown here.</p>;
  }
  return (
    <>
      {kept.look !== null && kept.look !== undefined && <WatchLook look={kept.look} />}
      {!isSame(writtenTrigger(kept), trigger) && (
        <p className={styles.hint}>A preview is of the watch as it is saved, without what has been changed here.</p>
      )}
      <Suspense>
        <WatchTrial id={id} triggerId={trigger.id} />
      </Suspense>
    </>
  );
}
