/**
 * Web addresses as they are written. `URL` leaves line ends and tabs out wherever they are, and blanks at both ends, so that
 * an address with one of them leads elsewhere than it is read, and breaks a header, a log or a file into which it is written.
 */
import { z } from "zod";

/** Controls, and blanks and ends of lines of any kind: the byte order mark is one to JavaScript, and to nobody else. */
const LEFT_OUT = /[\p{Cc}\p{Z}\uFEFF]/u;

const ON_ONE_LINE = "must be on one line, without spaces, tabs or line breaks";

/** Whether all of an address counts when it is read. */
export function isWrittenWhole(address: string): boolean {
  return !LEFT_OUT.test(address);
}

/** @returns null for what is no address, or has something in it that `URL` would leave out. */
export function parseAddress(text: string): URL | null {
  return isWrittenWhole(text) ? URL.parse(text) : null;
}

/**
 * An http or https address. Blanks around it are left out. @param error what is said of what is none. @param abort whether
 * nothing else is said of that: otherwise checks that follow meet what is no address, too.
 */
export function webAddress(error: string, abort = true) {
  // First, for `z.url` takes line ends and tabs out of the middle and says nothing of it.
  const whole = z.string().trim().refine(isWrittenWhole, { error: ON_ONE_LINE, abort: true });
  return whole.check(z.url({ protocol: /^https?$/, error, abort }));
}

/** Any address that a server gives. */
export function givenAddress() {
  return z.string().refine(isWrittenWhole, { error: ON_ONE_LINE, abort: true }).check(z.url());
}
