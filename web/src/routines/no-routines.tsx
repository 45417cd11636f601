/** What to do while there is no routine. */
import { CopyButton } from "../ui/copy-button.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { SunriseIcon } from "../ui/icons.tsx";
import styles from "./no-routines.module.css";

export function NoRoutines() {
  const command = createCommand(location.origin);
  return (
    <EmptyState icon={<SunriseIcon size={22} />} title="No routines yet">
      <p>
        A routine is a prompt, git repositories and limits. The first one is made through the API;{" "}
        <a href="/docs">its reference</a> tells what a routine can say. For repositories on GitHub,{" "}
        <a href="/setup">set up an App</a> first.
      </p>
      <div className={styles.command}>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled has to be reached by keyboard */}
        <pre tabIndex={0}>
          <code>{command}</code>
        </pre>
        <CopyButton text={command} label="Copy command" />
      </div>
    </EmptyState>
  );
}

function createCommand(origin: string): string {
  return [
    `curl -X POST ${origin}/api/v1/routines \\`,
    `  -H "Authorization: Bearer $OWNER_TOKEN" \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d '{"name":"hello","prompt":"Say hello."}'`,
  ].join("\n");
}
