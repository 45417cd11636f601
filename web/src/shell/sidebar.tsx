/** Beside the page, where the window is wide enough: the way to all pages, and what is about the browser. */
import { Button } from "../ui/button.tsx";
import { COMMAND_KEY } from "./command-key.ts";
import { Brand, Navigation } from "./navigation.tsx";
import { KeyboardIcon, SearchIcon, SidebarIcon } from "./navigation-icons.tsx";
import type { Overlays } from "./overlays.tsx";
import styles from "./sidebar.module.css";
import { chooseWidth, useSidebarWidth } from "./sidebar-width.ts";
import { SignOut } from "./sign-out.tsx";
import { ThemeControl } from "./theme-control.tsx";

export function Sidebar({ overlays }: { overlays: Overlays }) {
  const width = useSidebarWidth();
  const isNarrow = width === "narrow";
  return (
    <header className={styles.sidebar}>
      <div className={styles.brand}>
        <Brand />
      </div>
      <button
        type="button"
        className={styles.search}
        title={`Search (${COMMAND_KEY}+K)`}
        aria-keyshortcuts="Meta+K Control+K"
        {...overlays.opens("palette")}
      >
        <SearchIcon />
        <span className={styles.searchText}>Search</span>
        <span className={styles.keys} aria-hidden="true">
          {COMMAND_KEY} K
        </span>
      </button>
      <div className={styles.pages}>
        <Navigation />
      </div>
      <div className={styles.foot}>
        <ThemeControl side="right" />
        <Button
          variant="ghost"
          aria-label="Keyboard shortcuts"
          title="Keyboard shortcuts (?)"
          icon={<KeyboardIcon />}
          {...overlays.opens("shortcuts")}
        />
        <SignOut />
        <Button
          variant="ghost"
          className={styles.toggle ?? ""}
          aria-label={isNarrow ? "Widen the navigation" : "Narrow the navigation"}
          title={isNarrow ? "Widen the navigation" : "Narrow the navigation"}
          icon={<SidebarIcon />}
          onClick={() => chooseWidth(isNarrow ? "wide" : "narrow")}
        />
      </div>
    </header>
  );
}
