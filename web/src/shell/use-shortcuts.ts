/** The keys that work on every page: the palette, the list of keys, and the pages after `g`. */
import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { PAGES } from "./pages.ts";
import { areSingleKeysOn } from "./single-keys.ts";

/** How long after `g` the second key is waited for. */
const SECOND_KEY_MS = 1_500;

export function useShortcuts(show: (overlay: "palette" | "shortcuts") => void): void {
  const navigate = useNavigate();
  useEffect(() => {
    let goUntil = 0;
    function press(event: KeyboardEvent) {
      if (event.defaultPrevented || event.isComposing) return;
      if ((event.metaKey || event.ctrlKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
        event.preventDefault();
        show("palette");
        return;
      }
      if (event.metaKey || event.ctrlKey || event.altKey || !areSingleKeysOn() || isTaken(event.target)) return;
      const isSecond = event.timeStamp < goUntil;
      goUntil = event.key === "g" && !isSecond ? event.timeStamp + SECOND_KEY_MS : 0;
      if (event.key === "?") show("shortcuts");
      const page = isSecond ? PAGES.find(({ key }) => key === event.key) : undefined;
      if (page !== undefined) void navigate({ to: page.to });
    }
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [navigate, show]);
}

/** Where something is being written, or a dialog is open: keys are for that. */
function isTaken(target: EventTarget | null): boolean {
  if (!(target instanceof Element)) return false;
  return (
    target.closest("input, textarea, select, [contenteditable], [role=dialog], [role=alertdialog], [role=menu]") !==
    null
  );
}
