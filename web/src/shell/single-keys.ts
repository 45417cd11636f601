/** Whether keys without Ctrl or ⌘ do something: kept in this browser. Who dictates, or types by accident, turns them off. */
import { useSyncExternalStore } from "react";

const KEY = "reveille-single-keys";
const listeners = new Set<() => void>();
let isOn = readKept();

export function areSingleKeysOn(): boolean {
  return isOn;
}

export function useSingleKeys(): boolean {
  return useSyncExternalStore(listen, areSingleKeysOn);
}

export function setSingleKeys(next: boolean): void {
  isOn = next;
  try {
    localStorage.setItem(KEY, next ? "on" : "off");
  } catch {
    // A browser that keeps nothing forgets the choice with the page.
  }
  for (const listener of listeners) listener();
}

function readKept(): boolean {
  try {
    return localStorage.getItem(KEY) !== "off";
  } catch {
    return true;
  }
}

function listen(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
