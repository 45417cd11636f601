/** What dialogs are told. */
import type { ReactNode } from "react";

export interface DialogProps {
  isOpen: boolean;
  onOpenChange: (isOpen: boolean) => void;
  title: string;
  description?: ReactNode;
  children?: ReactNode;
  closeLabel?: string;
  /** What the dialog is for: a button, after the one that closes. */
  action: ReactNode;
}

export interface ConfirmDialogProps {
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
