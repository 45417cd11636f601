/** The icons: strokes on a grid of 16, in the colour of the text beside them, and silent. */
import type { ReactNode } from "react";

interface IconProps {
  size?: number;
}

export function icon(shapes: ReactNode) {
  return (props: IconProps) => <Icon {...props}>{shapes}</Icon>;
}

function Icon({ size = 16, children }: IconProps & { children: ReactNode }) {
  return (
    <svg
      viewBox="0 0 16 16"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

export const AlertIcon = icon(<path d="M8 2 1.5 13.5h13L8 2Zm0 4.5v3m0 2v.1" />);
export const CheckIcon = icon(<path d="m3 8.5 3.2 3.2L13 4.8" />);
export const CrossIcon = icon(<path d="m4 4 8 8m0-8-8 8" />);
export const MoreIcon = icon(<path d="M3 8h.01M8 8h.01M13 8h.01" strokeWidth="2.5" />);
export const ChevronRightIcon = icon(<path d="m6 4 4 4-4 4" />);
export const ChevronLeftIcon = icon(<path d="M10 4 6 8l4 4" />);
export const ArrowDownIcon = icon(<path d="M8 3v10m-4-4 4 4 4-4" />);
export const CopyIcon = icon(
  <>
    <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" />
    <path d="M10.5 5.5V4A1.5 1.5 0 0 0 9 2.5H4A1.5 1.5 0 0 0 2.5 4v5A1.5 1.5 0 0 0 4 10.5h1.5" />
  </>,
);
export const PlayIcon = icon(<path d="M4.5 2.8v10.4l8.6-5.2-8.6-5.2Z" fill="currentColor" />);
export const PauseIcon = icon(<path d="M5.5 3v10M10.5 3v10" strokeWidth="2" />);
export const StopIcon = icon(<rect x="3.5" y="3.5" width="9" height="9" rx="1.5" />);
export const ClockIcon = icon(
  <>
    <circle cx="8" cy="8" r="6" />
    <path d="M8 4.6V8l2.2 1.6" />
  </>,
);
export const BranchIcon = icon(
  <>
    <circle cx="4.5" cy="3.5" r="1.5" />
    <circle cx="4.5" cy="12.5" r="1.5" />
    <circle cx="11.5" cy="5.5" r="1.5" />
    <path d="M4.5 5v6M11.5 7c0 2.5-2 2.5-7 2.5" />
  </>,
);
export const SunIcon = icon(
  <>
    <circle cx="8" cy="8" r="2.8" />
    <path d="M8 1.2v1.4m0 10.8v1.4M1.2 8h1.4m10.8 0h1.4M3.2 3.2l1 1m7.6 7.6 1 1m0-9.6-1 1M4.2 11.8l-1 1" />
  </>,
);
export const MoonIcon = icon(<path d="M13.5 9.6A5.8 5.8 0 0 1 6.4 2.5a5.8 5.8 0 1 0 7.1 7.1Z" />);
export const SystemIcon = icon(
  <>
    <rect x="1.8" y="2.5" width="12.4" height="8.5" rx="1.5" />
    <path d="M5.5 13.8h5M8 11v2.8" />
  </>,
);
export const SunriseIcon = icon(<path d="M3.5 10.5a4.5 4.5 0 0 1 9 0M1.5 13h13M8 2v1.8M3 5l1.2 1.2M13 5l-1.2 1.2" />);
export const InboxIcon = icon(
  <path d="M2 9.5h3.3l1 1.8h3.4l1-1.8H14M2 9.5v3a1 1 0 0 0 1 1h10a1 1 0 0 0 1-1v-3L12 3.2A1 1 0 0 0 11.1 2.500H4.900A1 1 0 0 0 4 3.200L2 9.500Z" />,
);
export const RepositoryIcon = icon(
  <path d="M3 12.8V3.5A1.5 1.5 0 0 1 4.5 2H13v9H4.6A1.7 1.7 0 0 0 3 12.7c0 .8.7 1.3 1.5 1.3H13v-3" />,
);
export const KeyIcon = icon(
  <>
    <circle cx="5.2" cy="10.8" r="2.7" />
    <path d="m7.2 8.8 6.3-6.3m-2.2 2.2 1.9 1.9m-4-.1 1.3 1.3" />
  </>,
);
