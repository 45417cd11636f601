/** The icons of the navigation. */
import { icon } from "../ui/icons.tsx";

export const HomeIcon = icon(<path d="M2.5 7 8 2.5 13.5 7v6a.8.8 0 0 1-.8.8H3.3a.8.8 0 0 1-.8-.8V7Zm4 6.5v-4h3v4" />);
export const RoutinesIcon = icon(
  <path d="M13.4 6.5A5.6 5.6 0 0 0 3.6 4.6L2.5 5.8m.1 3.7a5.6 5.6 0 0 0 9.8 1.9l1.1-1.2M2.5 2.5v3.3h3.3m7.7 7.7v-3.3h-3.3" />,
);
export const RunsIcon = icon(
  <>
    <circle cx="8" cy="8" r="6" />
    <path d="M6.7 5.5v5L10.6 8 6.7 5.5Z" />
  </>,
);
export const PlugIcon = icon(<path d="M6 2v3m4-3v3M4 5h8v2.5a4 4 0 0 1-8 0V5Zm4 6.5V14" />);
export const MenuIcon = icon(<path d="M2.5 4.5h11m-11 3.5h11m-11 3.5h11" />);
export const SearchIcon = icon(
  <>
    <circle cx="7" cy="7" r="4.5" />
    <path d="m10.4 10.4 3.1 3.1" />
  </>,
);
export const KeyboardIcon = icon(
  <>
    <rect x="1.5" y="4" width="13" height="8.5" rx="1.5" />
    <path d="M4.3 6.8h.01m2.4 0h.01m2.4 0h.01m2.4 0h.01M5 9.8h6" />
  </>,
);
export const SignOutIcon = icon(<path d="M6.5 13.5h-3a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1h3m4 8.5 3-3-3-3m3 3H6.5" />);
export const SidebarIcon = icon(
  <>
    <rect x="2" y="2.8" width="12" height="10.4" rx="1.5" />
    <path d="M6.2 2.8v10.4" />
  </>,
);
export const BoxIcon = icon(<path d="M8 1.8 2.5 4.7v6.6L8 14.2l5.5-2.9V4.7L8 1.8Zm-5.3 3L8 7.6l5.3-2.8M8 7.6V14" />);
export const CoinsIcon = icon(
  <path d="M2.5 5c0-1.4 2.5-2.3 5.5-2.3s5.5.9 5.5 2.3-2.5 2.3-5.5 2.3S2.5 6.4 2.5 5Zm0 0v6c0 1.4 2.5 2.3 5.5 2.3s5.5-.9 5.5-2.3V5m-11 3c0 1.4 2.5 2.3 5.5 2.3s5.5-.9 5.5-2.3" />,
);
export const EnvelopeIcon = icon(<path d="M2 4h12v8.5H2V4Zm0 .4 6 4.4 6-4.4" />);
export const PulseIcon = icon(<path d="M1.5 8.5h3l2-5 3 9 2-4h3" />);
export const BellIcon = icon(<path d="M4 7a4 4 0 0 1 8 0c0 3 1.3 4 1.3 4H2.7S4 10 4 7Zm2.8 6.5h2.4" />);
export const PoolsIcon = icon(
  <path d="M3 2.5h10a.5.5 0 0 1 .5.5v3.5h-11V3a.5.5 0 0 1 .5-.5Zm-.5 7h11V13a.5.5 0 0 1-.5.5H3a.5.5 0 0 1-.5-.5V9.5Zm2.5-5h.01M5 11.5h.01" />,
);
export const LinkIcon = icon(
  <path d="m6.3 9.7 3.4-3.4M7 4.6l1.4-1.4a3 3 0 0 1 4.3 4.3L11.3 9M9 11.4l-1.4 1.4a3 3 0 0 1-4.3-4.3L4.7 7" />,
);
