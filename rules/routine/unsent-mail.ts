/** Pure: rules that name mailboxes are refused while the instance has no way to send e-mail. */
import { type Refusal, refuse } from "#protocol/errors.ts";
import type { NotificationRule } from "#protocol/notification.ts";

/** @param field of the list: `notify`. @param lacking what the instance lacks to send e-mail; null where it sends. */
export function unsentMailRefusal(
  field: string,
  rules: readonly NotificationRule[],
  lacking: string | null,
): Refusal | null {
  if (lacking === null) return null;
  const issues = rules.flatMap(({ email }, place) =>
    email === undefined
      ? []
      : [
          {
            field: `${field}[${place}].email`,
            message: `can't be used yet, for this instance sends no e-mail: ${lacking}`,
          },
        ],
  );
  const [first] = issues;
  if (first === undefined) return null;
  const hint = "docs/notifications.md, E-mail, says what to set; or name a webhook or a chat.";
  const message = `${first.field}: ${first.message}`;
  return refuse("invalid_request", { field: first.field, message, hint, issues }).refusal;
}
