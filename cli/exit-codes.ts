/** How `reveille` ends: the same for every command. */
export const EXIT = {
  done: 0,
  failed: 1,
  /** Options or arguments that can't be. */
  wrongUse: 2,
  /** The instance does not accept the token. */
  notSignedIn: 3,
  notFound: 4,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
