/** The menu of the session: as it is seen. */
import { Menu } from "@base-ui/react/menu";
import type { RefObject } from "react";
import type { Session } from "#protocol/session.ts";
import { getExportSessionUrl } from "../../client/generated.ts";
import styles from "../../ui/menu.module.css";

interface SessionMenuViewProps {
  session: Session;
  isOpen: boolean;
  onOpenChange: (isOpen: boolean) => void;
  /** The button that it belongs to, and to which the focus returns. */
  anchor: RefObject<HTMLButtonElement | null>;
  /** A run of it has not ended. */
  isActive: boolean;
  onCopy: () => void;
  onRename: () => void;
  onArchive: () => void;
  onDelete: () => void;
}

export function SessionMenuView({ session, isOpen, onOpenChange, anchor, isActive, ...does }: SessionMenuViewProps) {
  return (
    <Menu.Root open={isOpen} onOpenChange={(next) => onOpenChange(next)}>
      <Menu.Portal>
        <Menu.Positioner anchor={anchor} side="bottom" sideOffset={6} align="end">
          <Menu.Popup className={styles.popup} aria-label="Session" finalFocus={anchor}>
            <Menu.Item className={styles.item} onClick={does.onCopy}>
              Copy as Markdown
            </Menu.Item>
            <Menu.LinkItem className={styles.item} href={getExportSessionUrl(session.id)} download closeOnClick>
              Export as JSON lines
            </Menu.LinkItem>
            <Menu.Separator className={styles.separator} />
            <Menu.Item className={styles.item} onClick={does.onRename}>
              Rename…
            </Menu.Item>
            <Menu.Item className={styles.item} onClick={does.onArchive}>
              {session.archived ? "Bring back from the archive" : "Archive"}
            </Menu.Item>
            <Menu.Item className={styles.item} disabled={isActive} onClick={does.onDelete}>
              {isActive ? "Delete, once its run has ended" : "Delete…"}
            </Menu.Item>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
