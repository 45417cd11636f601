/** What is said of a routine that has just been saved, in the address of its editor. */
const NOTES = {
  "set-up": "It is saved. What is still to be set up stands in its triggers: a token, an address, a secret.",
  "not-started": "It is saved, but no run was started: “Run now” on its page tells why.",
} as const;
export type SavedNote = keyof typeof NOTES;

export function parseSavedNote(value: unknown): { saved?: SavedNote } {
  return value === "set-up" || value === "not-started" ? { saved: value } : {};
}

export function savedWords(note: SavedNote): string {
  return NOTES[note];
}
