// Runs before anything is painted, so that no page flashes in the theme that was not chosen, or moves when the sidebar
// becomes narrow. `theme.ts` and `sidebar-width.ts` have the rest.
try {
  const theme = localStorage.getItem("reveille-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  if (localStorage.getItem("reveille-sidebar") === "narrow") document.documentElement.dataset.sidebar = "narrow";
} catch {
  // Without storage the theme is the system's, and the sidebar is wide.
}
