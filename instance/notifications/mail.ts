/** The port to mailboxes. */
import type { PostFailure } from "./post-failure.ts";

export interface Mail {
  from: string;
  to: string;
  /** One line. */
  subject: string;
  text: string;
  html: string;
}

export interface Mailer {
  /**
   * Makes one try, within 10 seconds. Never rejects.
   * @param key the same for each try at one mail: who knows it already sends no other.
   */
  send(mail: Mail, key: string): Promise<PostFailure>;
}
