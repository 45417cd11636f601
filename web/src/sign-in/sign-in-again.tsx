/**
 * The sign-in over a page whose reader is no longer signed in. As a modal dialog of the browser's own it shuts off all that
 * is under it, dialogs of the page included, and gives the focus back to where it was.
 */
import { focusManager, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useId, useLayoutEffect, useRef } from "react";
import { createPortal } from "react-dom";
import { listRoutines } from "../client/generated.ts";
import styles from "./sign-in-view.module.css";
import { SignInView } from "./sign-in-view.tsx";

export function SignInAgain({ mark }: { mark: ReactNode }) {
  const titleId = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);
  useKeysAlone(dialog);
  useQuietReads();
  useOtherWindows();
  return createPortal(
    <dialog
      ref={dialog}
      // Nothing but signing in ends it.
      closedby="none"
      onCancel={(event) => event.preventDefault()}
      aria-labelledby={titleId}
      className={styles.over}
    >
      <SignInView mark={mark} isAgain titleId={titleId} />
    </dialog>,
    // Beside the page's own dialogs: they hide what they are over from screen readers, as far as it was there before them.
    document.body,
  );
}

/** Keys are for the sign-in: the page under it listens on the whole document. */
function useKeysAlone(dialog: { current: HTMLDialogElement | null }): void {
  useEffect(() => {
    const keep = (event: KeyboardEvent) => event.stopPropagation();
    const keepFromPage = (event: KeyboardEvent) => {
      if (!(event.target instanceof Node && dialog.current?.contains(event.target))) event.stopImmediatePropagation();
    };
    const shown = dialog.current;
    shown?.addEventListener("keydown", keep);
    window.addEventListener("keydown", keepFromPage, { capture: true });
    return () => {
      shown?.removeEventListener("keydown", keep);
      window.removeEventListener("keydown", keepFromPage, { capture: true });
    };
  }, [dialog]);
}

/** The page asks for nothing that would be refused, and for all that it shows once it may. */
function useQuietReads(): void {
  const queryClient = useQueryClient();
  useEffect(() => {
    focusManager.setFocused(false);
    return () => {
      focusManager.setFocused(undefined);
      void queryClient.invalidateQueries();
    };
  }, [queryClient]);
}

/** Signed in meanwhile in another window of this browser: that counts here too. */
function useOtherWindows(): void {
  useEffect(() => {
    // Its answer tells; where it is refused, all stays as it is.
    const look = () => void listRoutines({ limit: 1 }).catch(() => undefined);
    addEventListener("focus", look);
    return () => removeEventListener("focus", look);
  }, []);
}
