/** The instance's GitHub App: how it is set up, and what is known of it. Its keys are never shown. */
import { z } from "zod";
import { nullable } from "./schema.ts";
import { timestampSchema } from "./time.ts";

const login = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,98}[A-Za-z0-9])?$/;

export const setupInputSchema = z
  .strictObject({
    /** The organization that is to own the App; left out, the person who makes it does. */
    organization: z.string().regex(login, "must be an organization's name as its address has it").optional(),
  })
  .meta({ id: "GithubAppSetupInput" });

export const begunSetupSchema = z
  .object({
    /** Where a browser posts the manifest, as the field `manifest` of a form. Good once, for an hour. */
    action: z.url(),
    manifest: z.string().meta({ description: "JSON: what the App is to be, as GitHub's manifests are." }),
    expires_at: timestampSchema,
  })
  .meta({ id: "GithubAppSetup" });
export type BegunSetup = z.infer<typeof begunSetupSchema>;

export const endSetupInputSchema = z
  .strictObject({
    code: z.string().regex(/^[\w-]{1,200}$/, "must be the code with which GitHub sent the browser back"),
    state: z.string().min(1).max(200),
  })
  .meta({ id: "GithubAppEndSetupInput" });

export const changeAppInputSchema = z
  .strictObject({
    private_key: z.string().min(1).max(20_000).optional(),
    webhook_secret: z.string().min(16, "must be at least 16 characters").max(1_000).optional(),
  })
  .refine((given) => Object.keys(given).length > 0, "must have private_key, webhook_secret, or both")
  .meta({ id: "GithubAppChangeInput" });

const appSchema = z.object({
  id: z.int(),
  name: z.string(),
  slug: z.string(),
  /** The account that owns it, by login. */
  owner: z.string(),
  client_id: z.string(),
  /** Its page at GitHub. */
  html_url: z.string(),
  made_at: timestampSchema,
  /** Whether its webhooks can be verified. */
  has_webhook_secret: z.boolean(),
});

export const githubAppStateSchema = z
  .object({
    /** Null when none is set up. */
    app: nullable(appSchema),
    /** Where it is installed on an account, or given more repositories. */
    install_url: nullable(z.string()),
    installations: z.array(
      z.object({
        id: z.int(),
        account: z.string(),
        repositories: z.enum(["all", "selected"]),
        suspended: z.boolean(),
        url: z.string(),
      }),
    ),
    /** Why GitHub does not tell where it is installed, or why its key can't be used. */
    problem: nullable(z.object({ code: z.string(), message: z.string(), hint: z.string() })),
    /** Where GitHub sends webhooks; null for an address that it can't reach. */
    webhook_url: nullable(z.string()),
    /** Whether GIT_CREDENTIALS has a credential for GitHub, which is used where the App has no access. */
    has_other_credential: z.boolean(),
    /** The App that this one has taken the place of, in the answer to the setup alone. */
    replaced: nullable(z.object({ name: z.string(), html_url: z.string() })),
  })
  .meta({ id: "GithubAppState" });
export type GithubAppState = z.infer<typeof githubAppStateSchema>;
