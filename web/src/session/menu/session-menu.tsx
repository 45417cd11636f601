/** What can be done with the whole of a session. The menu is loaded when it is first wanted. */
import { lazy, Suspense, useRef, useState } from "react";
import type { Session } from "#protocol/session.ts";
import { isActiveStatus } from "../../format/status.ts";
import { Button } from "../../ui/button.tsx";
import { preloadDialogs } from "../../ui/dialog.tsx";
import { ErrorNotice } from "../../ui/error-state.tsx";
import { MoreIcon } from "../icons.tsx";
import { readSessionEvents } from "../read-session-events.ts";
import { useChangeSession } from "./session-changes.ts";
import styles from "./session-menu.module.css";
import { useCopySession } from "./use-copy-session.ts";

const loadDelete = () => import("./delete-dialog.tsx");
const loadRename = () => import("./rename-dialog.tsx");
const DeleteDialog = lazy(async () => ({ default: (await loadDelete()).DeleteDialog }));
const RenameDialog = lazy(async () => ({ default: (await loadRename()).RenameDialog }));
const loadMenu = () => import("./session-menu-view.tsx");
const SessionMenuView = lazy(async () => ({ default: (await loadMenu()).SessionMenuView }));

function preload(): void {
  preloadDialogs();
  // Opening one tries again, and tells of a failure.
  for (const load of [loadMenu, loadRename, loadDelete]) load().catch(() => {});
}

export function SessionMenu({ session }: { session: Session }) {
  const button = useRef<HTMLButtonElement>(null);
  const [isOpen, setOpen] = useState(false);
  const [isWanted, setWanted] = useState(false);
  const [dialog, setDialog] = useState<"rename" | "delete" | null>(null);
  const archiving = useChangeSession(session.id);
  const copying = useCopySession(session, readSessionEvents(session.id));
  const close = () => setDialog(null);
  return (
    <div className={styles.menu}>
      <Button
        ref={button}
        variant="ghost"
        size="sm"
        aria-label="More about the session"
        aria-haspopup="menu"
        aria-expanded={isOpen}
        title="More"
        icon={<MoreIcon />}
        isBusy={copying.isCopying || archiving.isPending}
        onPointerEnter={preload}
        onFocus={preload}
        onClick={() => {
          setWanted(true);
          setOpen(!isOpen);
        }}
      />
      <Suspense>
        {isWanted && (
          <SessionMenuView
            session={session}
            isOpen={isOpen}
            onOpenChange={setOpen}
            anchor={button}
            isActive={session.runs.some(({ status }) => isActiveStatus(status))}
            onCopy={copying.copy}
            onRename={() => setDialog("rename")}
            onArchive={() => archiving.mutate({ archived: !session.archived })}
            onDelete={() => setDialog("delete")}
          />
        )}
      </Suspense>
      <p role="status" className={styles.said}>
        {copying.isCopied && "Copied"}
      </p>
      {copying.error !== null && <ErrorNotice title="The transcript was not copied." error={copying.error} />}
      {archiving.isError && <ErrorNotice title="That did not work." error={archiving.error} />}
      <Suspense>
        {isWanted && (
          <>
            {/* Each opening begins with the title as it is. */}
            <RenameDialog
              key={`rename ${dialog === "rename"}`}
              session={session}
              isOpen={dialog === "rename"}
              onClose={close}
            />
            <DeleteDialog session={session} isOpen={dialog === "delete"} onClose={close} />
          </>
        )}
      </Suspense>
    </div>
  );
}
