/** The ways to what a session's page can show. */
import { Link } from "@tanstack/react-router";
import { sessionViews, VIEW_TITLES } from "./session-views.ts";
import styles from "./view-links.module.css";

export function ViewLinks({ sessionId }: { sessionId: string }) {
  return (
    <nav aria-label="Views of the session" className={styles.links}>
      {sessionViews.map((each) => (
        <Link
          key={each}
          to="/sessions/$id"
          params={{ id: sessionId }}
          search={each === "transcript" ? {} : { view: each }}
          replace
          className={styles.link ?? ""}
          activeOptions={{ exact: true, includeSearch: true }}
        >
          {VIEW_TITLES[each]}
        </Link>
      ))}
    </nav>
  );
}
