// Runs before anything is painted, so that no page flashes in the theme that was not chosen, or moves when the sidebar
// becomes narrow. `theme.ts` and `sidebar-width.ts` have the rest.
try {
  const theme = localStorage.getItem("reveille-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  if (localStorage.getItem("reveille-sidebar") === "narrow") document.documentElement.dataset.sidebar = "narrow";
} catch {
  // Without storage the theme is the system's, and the sidebar is wide.
}

// Until the app has drawn something, what index.html has in its place tells how its loading goes: where one of its files
// does not come, nothing else could. With the first drawing that place is gone.
const SLOW_MS = 8_000;
const AGAIN_MS = 1_000;
/** Loaded again by itself at most this often. */
const SELDOM_MS = 60_000;

const place = (name) => document.getElementById(`starting-${name}`);

addEventListener(
  "error",
  ({ target }) => {
    const isOfApp = target === window || target.matches?.("script, link[rel=stylesheet]");
    if (!isOfApp || place("failed") === null) return;
    place("failed").hidden = false;
    if (isFirstFailure()) setTimeout(() => location.reload(), AGAIN_MS);
  },
  { capture: true },
);
addEventListener("click", ({ target }) => {
  if (target === place("again")) location.reload();
});
setTimeout(() => {
  // Nothing is painted before a style sheet has come: without it at least the words are there.
  for (const sheet of document.querySelectorAll("link[rel=stylesheet]")) if (sheet.sheet === null) sheet.remove();
  if (place("slow") !== null) place("slow").hidden = false;
}, SLOW_MS);

function isFirstFailure() {
  const key = "reveille-loaded-again";
  try {
    const isFirst = Date.now() - Number(sessionStorage.getItem(key)) > SELDOM_MS;
    sessionStorage.setItem(key, String(Date.now()));
    return isFirst;
  } catch {
    return false;
  }
}
