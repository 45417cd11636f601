/** Goes anywhere and does what can be done anywhere, by typing: ⌘K. */
import { Dialog } from "@base-ui/react/dialog";
import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { classNames } from "../ui/class-names.ts";
import dialogStyles from "../ui/dialog.module.css";
import { SearchIcon } from "./navigation-icons.tsx";
import styles from "./palette.module.css";
import { matching } from "./palette-match.ts";
import { type Command, usePaletteCommands } from "./use-palette-commands.ts";

interface PaletteProps {
  isOpen: boolean;
  onClose: () => void;
  onShortcuts: () => void;
}

export function Palette({ isOpen, onClose, onShortcuts }: PaletteProps) {
  const hasGone = useRef(false);
  return (
    <Dialog.Root open={isOpen} onOpenChange={(next) => !next && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className={dialogStyles.backdrop} />
        <Dialog.Popup
          className={classNames(dialogStyles.popup, styles.popup)}
          aria-label="Search"
          // Where it led to is where one goes on; else where one was.
          finalFocus={() => (hasGone.current ? document.getElementById("content") : true)}
        >
          <Search
            onShortcuts={onShortcuts}
            onDone={(leads) => {
              hasGone.current = leads;
              onClose();
            }}
          />
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

interface SearchProps {
  onShortcuts: () => void;
  /** @param leads whether it has led to another page. */
  onDone: (leads: boolean) => void;
}

/** Made anew each time it opens, so it begins empty. */
function Search({ onShortcuts, onDone }: SearchProps) {
  const id = useId();
  const [typed, setTyped] = useState("");
  const [marked, setMarked] = useState(0);
  const { commands, isLoading } = usePaletteCommands(onShortcuts);
  const found = matching(commands, typed);
  const current = found[Math.min(marked, found.length - 1)];
  const optionId = (command: Command) => `${id}-${command.id}`;

  function choose(command: Command) {
    onDone(command.leads);
    command.run();
  }
  function press(event: KeyboardEvent) {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0 && found.length > 0) {
      event.preventDefault();
      setMarked((Math.min(marked, found.length - 1) + step + found.length) % found.length);
    }
    if (event.key === "Enter" && !event.nativeEvent.isComposing && current !== undefined) {
      event.preventDefault();
      choose(current);
    }
  }

  return (
    <>
      <div className={styles.field}>
        <SearchIcon />
        <input
          className={styles.input}
          role="combobox"
          aria-label="Go to, or do"
          aria-expanded
          aria-controls={`${id}-list`}
          aria-activedescendant={current === undefined ? undefined : optionId(current)}
          aria-autocomplete="list"
          autoComplete="off"
          spellCheck={false}
          placeholder="A page, a routine, a run…"
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
            setMarked(0);
          }}
          onKeyDown={press}
        />
        <Dialog.Close className={styles.close}>Esc</Dialog.Close>
      </div>
      <div id={`${id}-list`} role="listbox" aria-label="What was found" className={styles.list}>
        {found.map((command, index) => (
          <Option
            key={command.id}
            id={optionId(command)}
            command={command}
            group={command.group === found[index - 1]?.group ? null : command.group}
            isMarked={command === current}
            onPoint={() => setMarked(index)}
            onChoose={() => choose(command)}
          />
        ))}
      </div>
      <p role="status" className={found.length === 0 ? styles.none : "visually-hidden"}>
        {statusWords(found.length, isLoading)}
      </p>
    </>
  );
}

function statusWords(count: number, isLoading: boolean): string {
  if (count > 0) return `${count} found`;
  return isLoading ? "Looking…" : "Nothing is called that.";
}

interface OptionProps {
  id: string;
  command: Command;
  /** Said above the first of each. */
  group: string | null;
  isMarked: boolean;
  onPoint: () => void;
  onChoose: () => void;
}

function Option({ id, command, group, isMarked, onPoint, onChoose }: OptionProps) {
  const row = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (isMarked) row.current?.scrollIntoView({ block: "nearest" });
  }, [isMarked]);
  const { Icon, title, detail } = command;
  return (
    <>
      {group !== null && (
        <p className={styles.group} role="presentation">
          {group}
        </p>
      )}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the field, which keeps the focus */}
      {/* biome-ignore lint/a11y/useFocusableInteractive: it is marked by the field's aria-activedescendant */}
      <div
        ref={row}
        id={id}
        role="option"
        aria-selected={isMarked}
        className={styles.option}
        onPointerMove={isMarked ? undefined : onPoint}
        onClick={onChoose}
      >
        <Icon />
        <span className={styles.title}>{title}</span>
        {detail !== undefined && <span className={styles.detail}>{detail}</span>}
      </div>
    </>
  );
}
