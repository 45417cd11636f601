/**
 * Dialogs: one that asks for something, and one that makes sure. The focus goes in, stays, and comes back.
 * Their machinery is loaded when a dialog is first opened, or when `preloadDialogs` is called.
 */
import { lazy, Suspense, useState } from "react";
import type { ConfirmDialogProps, DialogProps } from "./dialog-props.ts";

const loadDialogs = () => import("./dialog-views.tsx");
const DialogView = lazy(async () => ({ default: (await loadDialogs()).DialogView }));
const ConfirmDialogView = lazy(async () => ({ default: (await loadDialogs()).ConfirmDialogView }));

/** For whatever shows that a dialog will be wanted: the pointer over its button, or the focus on it. */
export function preloadDialogs(): void {
  // Opening it tries again, and tells of a failure.
  loadDialogs().catch(() => {});
}

export function Dialog(props: DialogProps) {
  const isWanted = useOnceTrue(props.isOpen);
  return <Suspense>{isWanted && <DialogView {...props} />}</Suspense>;
}

export function ConfirmDialog(props: ConfirmDialogProps) {
  const isWanted = useOnceTrue(props.isOpen);
  return <Suspense>{isWanted && <ConfirmDialogView {...props} />}</Suspense>;
}

/** Whether it is or has been true: a dialog that closes is still there to be seen closing. */
function useOnceTrue(value: boolean): boolean {
  const [wasTrue, setWasTrue] = useState(value);
  if (value && !wasTrue) setWasTrue(true);
  return value || wasTrue;
}
