/** As whom runs commit, and with which key the worker signs their commits. */
import { z } from "zod";

export const commitIdentitySchema = z.object({
  name: z.string(),
  email: z.string(),
  /** The public half, as `ssh-ed25519 AAAA…`; null where commits are not signed. */
  signing_key: z.string().nullable(),
});
export type CommitIdentity = z.infer<typeof commitIdentitySchema>;

/** Unless the instance, the repository or the agent sets somebody else. */
export const COMMIT_IDENTITY: CommitIdentity = {
  name: "Reveille",
  email: "reveille@users.noreply.invalid",
  signing_key: null,
};
