/** Saves, from wherever the page is scrolled to, and says what stands against it. */
import { Button } from "../ui/button.tsx";
import { PlayIcon } from "../ui/icons.tsx";
import styles from "./editor.module.css";

interface SaveBarProps {
  isDirty: boolean;
  /** Which of the two buttons is at work. */
  busy: "save" | "run" | null;
  isNew: boolean;
  onSave: (isRunWanted: boolean) => void;
}

export function SaveBar({ isDirty, busy, isNew, onSave }: SaveBarProps) {
  return (
    <div className={styles.saveBar}>
      <p className={styles.hint} role="status">
        {isNew ? "Not saved yet" : isDirty ? "Changes that are not saved" : "Everything is saved"}
      </p>
      <Button
        isBusy={busy === "run"}
        disabled={busy === "save"}
        icon={<PlayIcon size={13} />}
        onClick={() => onSave(true)}
      >
        Save and run
      </Button>
      <Button variant="primary" isBusy={busy === "save"} disabled={busy === "run"} onClick={() => onSave(false)}>
        Save
      </Button>
    </div>
  );
}
