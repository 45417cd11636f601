/** The theme that a person has chosen: kept in this browser, shown by `data-theme` on the root element. */

export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

/** Also in `early.js`. */
const KEY = "reveille-theme";

export function readTheme(): Theme {
  const chosen = document.documentElement.dataset["theme"];
  return chosen === "light" || chosen === "dark" ? chosen : "system";
}

export function chooseTheme(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // A browser that keeps nothing forgets the choice with the page.
  }
}
