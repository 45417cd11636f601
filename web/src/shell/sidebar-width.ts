/** How wide the sidebar is: kept in this browser, shown by `data-sidebar` on the root element. */
import { useSyncExternalStore } from "react";

type Width = "wide" | "narrow";

/** Also in `early.js`. */
const KEY = "reveille-sidebar";
const listeners = new Set<() => void>();

export function useSidebarWidth(): Width {
  return useSyncExternalStore(listen, readWidth);
}

export function chooseWidth(width: Width): void {
  if (width === "narrow") document.documentElement.dataset["sidebar"] = "narrow";
  else delete document.documentElement.dataset["sidebar"];
  try {
    localStorage.setItem(KEY, width);
  } catch {
    // A browser that keeps nothing forgets the choice with the page.
  }
  for (const listener of listeners) listener();
}

function readWidth(): Width {
  return document.documentElement.dataset["sidebar"] === "narrow" ? "narrow" : "wide";
}

function listen(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
