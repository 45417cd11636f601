/** A picture of a page, and how it is come to. */
import type { Page } from "playwright-core";

export interface Shot {
  /** The beginning of the file's name. */
  name: string;
  isSignedIn: boolean;
  open(page: Page): Promise<unknown>;
  /** Where something has to happen once the page is open everywhere. */
  meanwhile?: { begin(): void; ready(page: Page): Promise<unknown> };
  /** Another picture, from where this one was taken. */
  next?: { name: string; open(page: Page): Promise<unknown> };
}
