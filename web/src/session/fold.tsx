/** What is unfolded stays so while its row is scrolled out of sight and back, though the row itself is made anew. */
import { createContext, type ReactNode, useContext, useId, useState } from "react";
import { ChevronRightIcon } from "../ui/icons.tsx";
import styles from "./fold.module.css";

interface Folds {
  /** What is open, by the key of the item and of the part in it. */
  open: Map<string, boolean>;
  /** Told before something unfolds, so that the list does not run away from it. */
  onUnfold: () => void;
}

export const FoldsContext = createContext<Folds>({ open: new Map(), onUnfold: () => {} });

export function useFold(key: string): [isOpen: boolean, setOpen: (isOpen: boolean) => void] {
  const { open, onUnfold } = useContext(FoldsContext);
  const [isOpen, setOpen] = useState(() => open.get(key) ?? false);
  const set = (next: boolean) => {
    if (next) onUnfold();
    open.set(key, next);
    setOpen(next);
  };
  return [isOpen, set];
}

interface FoldProps {
  foldKey: string;
  /** The line: it is seen folded and unfolded, and pressing it does the one or the other. */
  line: ReactNode;
  /** Made when it is first seen. */
  children: () => ReactNode;
}

export function Fold({ foldKey, line, children }: FoldProps) {
  const [isOpen, setOpen] = useFold(foldKey);
  const id = useId();
  return (
    <div className={styles.fold}>
      <button
        type="button"
        className={styles.line}
        aria-expanded={isOpen}
        aria-controls={isOpen ? id : undefined}
        onClick={() => setOpen(!isOpen)}
      >
        <span className={styles.chevron}>
          <ChevronRightIcon size={14} />
        </span>
        {line}
      </button>
      {isOpen && (
        <div id={id} className={styles.body}>
          {children()}
        </div>
      )}
    </div>
  );
}
