/** A pool's token, this once, with the command that serves the pool. */
import { CopyButton } from "../ui/copy-button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { exactTime } from "../ui/exact-time.ts";
import styles from "./pools.module.css";

export interface GivenToken {
  pool: string;
  token: string;
  /** Until when the one before is accepted too. */
  previousUntil: string | null;
}

export function TokenDialog({ given, onClose }: { given: GivenToken | null; onClose: () => void }) {
  const command = `npx reveille runner --url ${location.origin} --token-file runner-token`;
  return (
    <Dialog
      isOpen={given !== null}
      onOpenChange={onClose}
      title={`Token of ${given?.pool ?? "the pool"}`}
      description="It is shown this once. Whoever has it can take runs of the pool."
      closeLabel="I have kept it"
      action={null}
    >
      {given !== null && (
        <>
          <p className={styles.line}>
            <code>{given.token}</code>
            <CopyButton text={given.token} label="Copy token" />
          </p>
          <p>Put it in a file that only you can read (mode 600), and start a runner with it:</p>
          <p className={styles.line}>
            <code>{command}</code>
            <CopyButton text={command} label="Copy command" />
          </p>
          {given.previousUntil !== null && (
            <p>The token before it is accepted until {exactTime(given.previousUntil)}.</p>
          )}
        </>
      )}
    </Dialog>
  );
}
