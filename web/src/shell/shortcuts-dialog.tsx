/** Which keys do what, and whether those without Ctrl or ⌘ do anything. */
import { Button } from "../ui/button.tsx";
import { DialogView } from "../ui/dialog-views.tsx";
import { COMMAND_KEY } from "./command-key.ts";
import { PAGES } from "./pages.ts";
import styles from "./shortcuts-dialog.module.css";
import { setSingleKeys, useSingleKeys } from "./single-keys.ts";

interface ShortcutsDialogProps {
  isOpen: boolean;
  onClose: () => void;
}

export function ShortcutsDialog({ isOpen, onClose }: ShortcutsDialogProps) {
  const areSingleKeysOn = useSingleKeys();
  const toPages = PAGES.flatMap(({ key, title }) => (key === null ? [] : [{ keys: ["g", key], does: title }]));
  return (
    <DialogView
      isOpen={isOpen}
      onOpenChange={onClose}
      title="Keyboard shortcuts"
      action={
        <Button onClick={() => setSingleKeys(!areSingleKeysOn)}>
          {areSingleKeysOn ? "Turn single keys off" : "Turn single keys on"}
        </Button>
      }
    >
      <dl className={styles.keys}>
        <Shortcut keys={[COMMAND_KEY, "K"]} does="Search" />
        <Shortcut keys={["?"]} does="This list" isOff={!areSingleKeysOn} />
        {toPages.map(({ keys, does }) => (
          <Shortcut key={does} keys={keys} does={does} isOff={!areSingleKeysOn} />
        ))}
      </dl>
    </DialogView>
  );
}

function Shortcut({ keys, does, isOff = false }: { keys: readonly string[]; does: string; isOff?: boolean }) {
  return (
    <div className={styles.row}>
      <dt>
        {does}
        {isOff && <span className={styles.off}> (off)</span>}
      </dt>
      <dd>
        {keys.map((key) => (
          <kbd key={key} className={styles.key}>
            {key}
          </kbd>
        ))}
      </dd>
    </div>
  );
}
