/** Why a container did not start, told by the words of the platform's error: it has no codes. Pure. */
import type { LeaseEnd } from "#rules/run/inputs.ts";

/** The platform has no room just now, or starts are asked for too fast: nothing has begun, and it passes by itself. */
const NO_ROOM = [
  /no container instance/i,
  /maximum number of running container/i,
  /too many [\w ]*(per second|requests)/i,
  /rate limit/i,
];
/** The image can't be had: trying again makes no difference. */
const NO_IMAGE = [
  /no such image/i,
  /\bimage\b.*(not found|not known|does not exist|could not be pulled|missing)/i,
  /manifest unknown/i,
];

/** @param reason the error's text. @returns `declined` when the lease may wait for another try that uses up no attempt. */
export function endOfStart(
  reason: string,
): Extract<LeaseEnd, "container_start_failed" | "container_image_missing"> | "declined" {
  if (NO_ROOM.some((words) => words.test(reason))) return "declined";
  return NO_IMAGE.some((words) => words.test(reason)) ? "container_image_missing" : "container_start_failed";
}
