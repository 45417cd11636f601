/** Above the page, where there is no room for the sidebar, or nobody is signed in. */
import { Button } from "../ui/button.tsx";
import { classNames } from "../ui/class-names.ts";
import { Brand } from "./navigation.tsx";
import { MenuIcon, SearchIcon } from "./navigation-icons.tsx";
import type { Overlays } from "./overlays.tsx";
import styles from "./shell.module.css";
import { ThemeControl } from "./theme-control.tsx";

/** @param props.overlays null while nobody is signed in: then there is nothing to go to, and no sidebar either. */
export function Header({ overlays }: { overlays: Overlays | null }) {
  return (
    <header className={classNames(styles.header, overlays !== null && styles.instead)}>
      <div className={styles.bar}>
        <div className={styles.brand}>
          <Brand />
        </div>
        {overlays !== null && (
          <Button
            variant="ghost"
            aria-label="Search"
            title="Search"
            icon={<SearchIcon />}
            {...overlays.opens("palette")}
          />
        )}
        <ThemeControl side="bottom" />
        {overlays !== null && (
          <Button
            variant="ghost"
            aria-label="Menu"
            title="Menu"
            aria-haspopup="dialog"
            icon={<MenuIcon />}
            {...overlays.opens("menu")}
          />
        )}
      </div>
    </header>
  );
}
