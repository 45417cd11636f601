/** What `dialog.tsx` loads: the dialogs as they are seen. */
import { AlertDialog } from "@base-ui/react/alert-dialog";
import { Dialog } from "@base-ui/react/dialog";
import { Button } from "./button.tsx";
import styles from "./dialog.module.css";
import type { ConfirmDialogProps, DialogProps } from "./dialog-props.ts";
import { ErrorNotice } from "./error-state.tsx";

export function DialogView({
  isOpen,
  onOpenChange,
  title,
  description,
  children,
  closeLabel = "Close",
  action,
}: DialogProps) {
  return (
    <Dialog.Root open={isOpen} onOpenChange={(next) => onOpenChange(next)}>
      <Dialog.Portal>
        <Dialog.Backdrop className={styles.backdrop} />
        <Dialog.Popup className={styles.popup}>
          <Dialog.Title className={styles.title}>{title}</Dialog.Title>
          {description !== undefined && (
            <Dialog.Description className={styles.description}>{description}</Dialog.Description>
          )}
          {children}
          <div className={styles.actions}>
            <Dialog.Close render={<Button />}>{closeLabel}</Dialog.Close>
            {action}
          </div>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

export function ConfirmDialogView({
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
    <AlertDialog.Root open={isOpen} onOpenChange={(next) => onOpenChange(next)}>
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
