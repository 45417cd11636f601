/** What is described of a routine and not served by this version. */

/** Keys of a routine that are described but not here yet: refused as `not_available_yet`, not as unknown. */
export const FUTURE_ROUTINE_KEYS = ["prompt_file"] as const;
