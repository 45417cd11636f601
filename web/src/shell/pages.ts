/** The pages that the navigation and the palette lead to. A page is named here when it is there. */
import { PlugIcon, RoutinesIcon } from "./navigation-icons.tsx";

/** Of the work, and of the instance that it is done on. */
export const PAGE_GROUPS = [
  {
    title: "Work",
    pages: [{ to: "/", title: "Routines", Icon: RoutinesIcon, key: "r" }],
  },
  {
    title: "Instance",
    pages: [{ to: "/setup", title: "GitHub App", Icon: PlugIcon, key: null }],
  },
] as const;

export type ListedPage = (typeof PAGE_GROUPS)[number]["pages"][number];

export const PAGES: readonly ListedPage[] = PAGE_GROUPS.flatMap(({ pages }): readonly ListedPage[] => pages);
