/** Reveille's mark: the sun over the horizon. */
export function Mark({ size = 20 }: { size?: number }) {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden="true">
      <path d="M8 21a8 8 0 0 1 16 0Z" fill="var(--accent)" />
      <path
        d="M4.5 25h23M16 5.500v4M6.4 10.300l2.8 2.800M25.6 10.300l-2.8 2.8"
        fill="none"
        stroke="var(--accent)"
        strokeWidth="2.2"
        strokeLinecap="round"
      />
    </svg>
  );
}
