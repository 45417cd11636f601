/** Where there is nothing: an address that is no page, or a thing that is not there. */
import { Link } from "@tanstack/react-router";
import { EmptyState } from "../ui/empty-state.tsx";
import { SunriseIcon } from "../ui/icons.tsx";
import { Page } from "./page.tsx";

interface NotFoundProps {
  /** What was looked for: "routine". */
  what?: string;
}

export function NotFound({ what = "page" }: NotFoundProps) {
  return (
    <Page title="Not found">
      <h1 className="visually-hidden">Not found</h1>
      <EmptyState icon={<SunriseIcon size={22} />} title={`There is no such ${what}`}>
        <p>
          The address may be mistyped, or what it led to has been deleted. <Link to="/routines">See all routines</Link>
        </p>
      </EmptyState>
    </Page>
  );
}
