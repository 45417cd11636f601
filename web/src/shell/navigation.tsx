/** The links to the pages, in their groups: in the sidebar, and in the menu of a narrow window. */
import { Link } from "@tanstack/react-router";
import { useAttentionCount } from "../home/use-attention-count.ts";
import { Mark } from "./mark.tsx";
import styles from "./navigation.module.css";
import { type ListedPage, PAGE_GROUPS } from "./pages.ts";

interface NavigationProps {
  /** After a link was followed. */
  onFollow?: () => void;
}

export function Navigation({ onFollow }: NavigationProps) {
  return (
    <nav aria-label="Pages" className={styles.groups}>
      {PAGE_GROUPS.map(({ title, pages }) => (
        <div key={title} className={styles.group}>
          <p className={styles.heading} id={`pages-${title}`}>
            {title}
          </p>
          {/* biome-ignore lint/a11y/noRedundantRoles: without its marks a list is none to Safari */}
          <ul role="list" aria-labelledby={`pages-${title}`}>
            {pages.map((page: ListedPage) => (
              <li key={page.to}>
                <PageLink page={page} onFollow={onFollow} />
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}

function PageLink({ page, onFollow }: { page: ListedPage; onFollow: (() => void) | undefined }) {
  const { to, title, Icon } = page;
  const needs = useAttentionCount(to === "/");
  return (
    <Link
      to={to}
      className={styles.link}
      activeOptions={{ exact: to === "/", includeSearch: false }}
      title={title}
      onClick={onFollow}
    >
      <Icon />
      <span className={styles.title}>{title}</span>
      {needs > 0 && (
        <span className={styles.count}>
          {needs}
          <span className="visually-hidden"> {needs === 1 ? "thing needs" : "things need"} you</span>
        </span>
      )}
    </Link>
  );
}

export function Brand() {
  return (
    <Link to="/" className={styles.brand} aria-label="Reveille">
      <Mark size={22} />
      <span className={styles.title}>Reveille</span>
    </Link>
  );
}
