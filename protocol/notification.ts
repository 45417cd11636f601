/** Notifications: who is to be told of what, and what became of each. */
import { z } from "zod";
import { notificationIdSchema, routineIdSchema, runIdSchema } from "./ids.ts";
import { outsideAddressFault } from "./outside-address.ts";
import { runResultSchema } from "./run.ts";
import { nullable } from "./schema.ts";
import { PLACEHOLDER } from "./secret.ts";
import { timestampSchema } from "./time.ts";
import { parseAddress } from "./web-address.ts";

/** What a rule can ask for, the most telling first: who asks for several of one fact is told the first. */
export const NOTIFICATION_KINDS = {
  failed: { type: "run.failed", words: "has failed" },
  waiting: { type: "run.waiting", words: "waits for an answer" },
  budget: { type: "run.budget", words: "waits: its budget is spent" },
  blocked: { type: "run.blocked", words: "is blocked" },
  recovered: { type: "routine.recovered", words: "has recovered" },
  succeeded: { type: "run.succeeded", words: "has succeeded" },
  missed: { type: "schedule.missed", words: "has missed what was scheduled" },
  paused: { type: "routine.paused", words: "has paused itself" },
  quiet: { type: "routine.quiet", words: "has had no success for longer than its schedule means" },
} as const;
export type NotificationKind = keyof typeof NOTIFICATION_KINDS;
export const notificationKinds = Object.keys(NOTIFICATION_KINDS) as [NotificationKind, ...NotificationKind[]];

const ADDRESS_LENGTH = 2_000;

/** @returns why a text is no address for webhooks, in words for people; null when it is one. */
export function webhookFault(text: string): string | null {
  const url = parseAddress(text.replaceAll(PLACEHOLDER, "x"));
  const fault = outsideAddressFault(url);
  if (url === null || fault !== null) return fault;
  if (text.includes("\\") || !text.startsWith(`https://${url.hostname}`)) {
    return "must be written plainly, its host in lower case and without a secret: {{NAME}} may stand behind the host";
  }
  return null;
}

const webhookAddressSchema = z
  .string()
  .max(ADDRESS_LENGTH)
  .refine((text) => webhookFault(text) === null, { error: ({ input }) => webhookFault(String(input)) ?? "" });
/** @param example the name of such a secret. */
const secretAddressSchema = (example: string) =>
  z
    .string()
    .regex(
      /^\{\{ *[A-Za-z_][A-Za-z0-9_]{0,63} *\}\}$/,
      `must name the secret that holds the address, as in "{{${example}}}"`,
    );

const LONGEST_MAILBOX = 254;
const mailboxSchema = z.email('must be one address, as in "team@example.com"').max(LONGEST_MAILBOX);

export const destinationKinds = ["webhook", "slack", "telegram", "discord", "email"] as const;
/** Where the address is that of a chat, which a secret holds. */
export type ChatKind = Exclude<(typeof destinationKinds)[number], "webhook" | "email">;

/** Who is told of what. */
export const notificationRuleSchema = z
  .strictObject({
    on: z.array(z.enum(notificationKinds, `must be one of ${notificationKinds.join(", ")}`)).min(1),
    skip: z
      .array(runResultSchema)
      .default([])
      .meta({ description: "Runs that succeeded with one of these results tell nothing of it." }),
    webhook: webhookAddressSchema.optional().meta({
      description: "An https address that is sent signed webhooks; {{NAME}} behind its host stands for a secret.",
    }),
    slack: secretAddressSchema("SLACK_URL").optional().meta({
      description: "The secret, as {{NAME}}, that holds the address of an incoming webhook of Slack's.",
    }),
    telegram: secretAddressSchema("TELEGRAM_URL").optional().meta({
      description: "The secret, as {{NAME}}, that holds the address of a Telegram bot's sendMessage, with the chat.",
    }),
    discord: secretAddressSchema("DISCORD_URL").optional().meta({
      description: "The secret, as {{NAME}}, that holds the address of a webhook of Discord's.",
    }),
    email: mailboxSchema.optional().meta({ description: "Whom an e-mail is sent to." }),
  })
  .refine(
    (rule) => destinationKinds.filter((by) => rule[by] !== undefined).length === 1,
    "must have one of webhook, slack, telegram, discord and email",
  )
  .meta({ id: "NotificationRule", examples: [{ on: ["failed", "missed"], slack: "{{SLACK_URL}}" }] });
export type NotificationRule = z.infer<typeof notificationRuleSchema>;

const RULES_AT_MOST = 20;
export const notificationRulesSchema = z.array(notificationRuleSchema).max(RULES_AT_MOST);

/** The rules for all routines, as they are set. */
export const instanceRulesInputSchema = z
  .strictObject({
    rules: notificationRulesSchema,
    if_revision: z.int().min(0).optional().meta({ description: "Refused where the rules have another by now." }),
    revision: z.unknown().optional().meta({ description: "As the rules were read with it: a change can't set it." }),
  })
  .meta({ id: "NotificationRulesInput" });
export const instanceRulesSchema = z
  .object({
    rules: notificationRulesSchema,
    revision: z.int().min(0).meta({ description: "Counts their changes; 0 where none were set yet." }),
  })
  .meta({ id: "NotificationRules" });
export type InstanceRules = z.infer<typeof instanceRulesSchema>;

/** To whom a notification goes. Rules of several routines may name one. */
export const destinationSchema = z
  .object({
    by: z.enum(destinationKinds),
    address: z.string().meta({ description: "As the rule has it, with {{NAME}} in place of a secret." }),
  })
  .meta({ id: "NotificationDestination" });
export type Destination = z.infer<typeof destinationSchema>;

/** One that fails. */
export const failingDestinationSchema = destinationSchema
  .extend({
    failing_since: timestampSchema,
    switched_off_at: nullable(timestampSchema).meta({ description: "Since then nothing is sent there by itself." }),
    error: z.string().meta({ description: "What the last try met." }),
  })
  .meta({ id: "FailingDestination" });
export const failingDestinationsSchema = z
  .object({ data: z.array(failingDestinationSchema) })
  .meta({ id: "FailingDestinations" });
export type FailingDestination = z.infer<typeof failingDestinationSchema>;

/** `switched_off`: its destination was; a redelivery by hand is tried all the same. */
export const notificationStatuses = ["pending", "sent", "failed", "switched_off"] as const;
export type NotificationStatus = (typeof notificationStatuses)[number];

export const notificationSchema = z
  .object({
    id: notificationIdSchema,
    routine_id: routineIdSchema,
    run_id: nullable(runIdSchema),
    kind: z.enum(notificationKinds),
    destination: destinationSchema,
    status: z.enum(notificationStatuses),
    tries: z.int().min(0),
    error: nullable(z.string()).meta({
      description: "What the last try met; null when there was none, or it went through.",
    }),
    next_try_at: nullable(timestampSchema),
    created_at: timestampSchema,
    sent_at: nullable(timestampSchema),
  })
  .meta({ id: "Notification" });
export type Notification = z.infer<typeof notificationSchema>;

/** Which address a key is for. */
export const signingKeyInputSchema = z.strictObject({ webhook: webhookAddressSchema }).meta({ id: "SigningKeyInput" });
export const signingKeySchema = z
  .object({ signing_key: z.string().meta({ description: "As a verifier of Standard Webhooks takes it." }) })
  .meta({
    id: "NotificationSigningKey",
    examples: [{ signing_key: "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" }],
  });
