/** Dialogs: one that asks for something, and one that makes sure. The focus goes in, stays, and comes back. */
import { AlertDialog } from "@base-ui/react/alert-dialog";
import { Dialog as Base } from "@base-ui/react/dialog";
import type { ReactNode } from "react";
import { Button } from "./button.tsx";
import styles from "./dialog.module.css";
import { ErrorNotice } from "./error-state.tsx";

interface DialogProps {
  isOpen: boolean;
  onOpenChange: (isOpen: boolean) => void;
  title: string;
  description?: ReactNode;
  children: ReactNode;
}

export function Dialog({ isOpen, onOpenChange, title, description, children }: DialogProps) {
  return (
    <Base.Root open={isOpen} onOpenChange={onOpenChange}>
      <Base.Portal>
        <Base.Backdrop className={styles.backdrop} />
        <Base.Popup className={styles.popup}>
          <Base.Title className={styles.title}>{title}</Base.Title>
          {description !== undefined && (
            <Base.Description className={styles.description}>{description}</Base.Description>
          )}
          {children}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

/** The row of buttons at a dialog's end: what closes it, then what it is for. */
export function DialogActions({ children, closeLabel = "Close" }: { children: ReactNode; closeLabel?: string }) {
  return (
    <div className={styles.actions}>
      <Base.Close render={<Button />}>{closeLabel}</Base.Close>
      {children}
    </div>
  );
}

interface ConfirmDialogProps {
  isOpen: boolean;
  onOpenChange: (isOpen: boolean) => void;
  title: string;
  description: ReactNode;
  /** What leaves everything as it is: "Keep running". It has the focus first. */
  keepLabel: string;
  confirmLabel: string;
  onConfirm: () => void;
  isBusy?: boolean;
  /** Why it could not be done, if it was tried. */
  error?: unknown;
}

export function ConfirmDialog({
  isOpen,
  onOpenChange,
  title,
  description,
  keepLabel,
  confirmLabel,
  onConfirm,
  isBusy = false,
  error = null,
}: ConfirmDialogProps) {
  return (
    <AlertDialog.Root open={isOpen} onOpenChange={onOpenChange}>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className={styles.backdrop} />
        <AlertDialog.Popup className={styles.popup}>
          <AlertDialog.Title className={styles.title}>{title}</AlertDialog.Title>
          <AlertDialog.Description className={styles.description}>{description}</AlertDialog.Description>
          {error !== null && <ErrorNotice title="That did not work." error={error} />}
          <div className={styles.actions}>
            <AlertDialog.Close render={<Button />}>{keepLabel}</AlertDialog.Close>
            <Button variant="danger" isBusy={isBusy} onClick={onConfirm}>
              {confirmLabel}
            </Button>
          </div>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
