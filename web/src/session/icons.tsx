/** Icons of the session page, on the same grid as those of the app. */
export { AlertIcon, ArrowDownIcon, MoreIcon, RepositoryIcon, StopIcon } from "../ui/icons.tsx";

interface StrokeProps {
  path: string;
  size: number | undefined;
}

interface IconProps {
  size?: number;
}

function Stroke({ path, size = 16 }: StrokeProps) {
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
      <path d={path} />
    </svg>
  );
}

export function InfoIcon({ size }: IconProps) {
  return <Stroke size={size} path="M8 7.5v3.5M8 5v.1M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12Z" />;
}

export function ToStartIcon({ size }: IconProps) {
  return <Stroke size={size} path="M3.5 3h9M8 13.5V6.5m-3.5 3.5L8 6.5l3.5 3.5" />;
}

export function ToEndIcon({ size }: IconProps) {
  return <Stroke size={size} path="M3.5 13h9M8 2.5v7m-3.5-3.5L8 9.5 11.5 6" />;
}

export function PanelIcon({ size }: IconProps) {
  return (
    <Stroke
      size={size}
      path="M3.5 2.5h9a1.5 1.5 0 0 1 1.5 1.5v8a1.5 1.5 0 0 1-1.5 1.5h-9A1.5 1.5 0 0 1 2 12V4a1.5 1.5 0 0 1 1.5-1.5ZM10 2.5v11"
    />
  );
}

export function ArrowUpIcon({ size }: IconProps) {
  return <Stroke size={size} path="M8 13V3.5M4 7.5l4-4 4 4" />;
}

export function PauseTurnIcon({ size }: IconProps) {
  return <Stroke size={size} path="M5.5 4v8m5-8v8" />;
}

export function QuestionIcon({ size }: IconProps) {
  return (
    <Stroke
      size={size}
      path="M6 6.2a2 2 0 1 1 2.9 1.8c-.6.3-.9.7-.9 1.4M8 11.5v.1M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12Z"
    />
  );
}

export function SearchIcon({ size }: IconProps) {
  return <Stroke size={size} path="M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10Zm3.5-1.5L14 14" />;
}
