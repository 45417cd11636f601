/** The way back to the list that something is in. */
import { Link } from "@tanstack/react-router";
import styles from "./back-link.module.css";
import { ChevronLeftIcon } from "./icons.tsx";

interface BackLinkProps {
  to: "/connectors" | "/environments" | "/secrets";
  children: string;
}

export function BackLink({ to, children }: BackLinkProps) {
  return (
    <nav aria-label="Breadcrumb" className={styles.crumbs}>
      <Link to={to}>
        <ChevronLeftIcon size={14} />
        {children}
      </Link>
    </nav>
  );
}
