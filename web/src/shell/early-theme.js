// Runs before anything is painted, so that no page flashes in the theme that was not chosen. `theme.ts` has the rest.
try {
  const theme = localStorage.getItem("reveille-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Without storage the theme is the system's.
}
