/** The pages that the navigation and the palette lead to. A page is named here when it is there. */
import { InboxIcon, KeyIcon } from "../ui/icons.tsx";
import {
  BellIcon,
  BoxIcon,
  CoinsIcon,
  EnvelopeIcon,
  HomeIcon,
  LinkIcon,
  PlugIcon,
  PoolsIcon,
  PulseIcon,
  RoutinesIcon,
  RunsIcon,
} from "./navigation-icons.tsx";

/** Of the work, and of the instance that it is done on. */
export const PAGE_GROUPS = [
  {
    title: "Work",
    pages: [
      { to: "/", title: "Home", Icon: HomeIcon, key: "h" },
      { to: "/routines", title: "Routines", Icon: RoutinesIcon, key: "r" },
      { to: "/runs", title: "Runs", Icon: RunsIcon, key: "u" },
      { to: "/deliveries", title: "Deliveries", Icon: InboxIcon, key: "d" },
      { to: "/dead-letters", title: "Dead letters", Icon: EnvelopeIcon, key: null },
    ],
  },
  {
    title: "Instance",
    pages: [
      { to: "/environments", title: "Environments", Icon: BoxIcon, key: null },
      { to: "/connectors", title: "Connectors", Icon: LinkIcon, key: null },
      { to: "/secrets", title: "Secrets", Icon: KeyIcon, key: null },
      { to: "/budgets", title: "Budgets", Icon: CoinsIcon, key: null },
      { to: "/notifications", title: "Notifications", Icon: BellIcon, key: null },
      { to: "/pools", title: "Pools", Icon: PoolsIcon, key: null },
      { to: "/doctor", title: "Doctor", Icon: PulseIcon, key: null },
      { to: "/setup", title: "GitHub App", Icon: PlugIcon, key: null },
    ],
  },
] as const;

export type ListedPage = (typeof PAGE_GROUPS)[number]["pages"][number];

export const PAGES: readonly ListedPage[] = PAGE_GROUPS.flatMap(({ pages }): readonly ListedPage[] => pages);
