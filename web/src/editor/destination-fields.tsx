/** What a rule of notifications says beside its occasions: whom it tells, and of which results it is silent. */
import type { NotificationRule } from "#protocol/notification.ts";
import type { RunResult } from "#protocol/run.ts";
import { RESULT_LABELS } from "../format/status.ts";
import { Checks } from "./checks.tsx";
import { SelectField, TextField } from "./fields.tsx";
import { type By, destinationOf, destinationWords } from "./notifications.ts";
import { Row } from "./section.tsx";

const PLACES = (Object.keys(destinationWords) as By[]).map((value) => ({ value, text: destinationWords[value] }));
const BEGINNINGS: Record<By, string> = {
  webhook: "",
  slack: "{{SLACK_URL}}",
  telegram: "{{TELEGRAM_URL}}",
  discord: "{{DISCORD_URL}}",
  email: "",
};
const FIELDS: Record<By, { label: string; hint: string; placeholder: string }> = {
  webhook: {
    label: "Address",
    hint: "Signed webhooks go there. {{NAME}} behind its host stands for a secret.",
    placeholder: "https://example.com/hook",
  },
  slack: { label: "Secret with Slack’s address", hint: "By its name, as {{SLACK_URL}}", placeholder: "{{SLACK_URL}}" },
  telegram: {
    label: "Secret with the address of the bot’s sendMessage",
    hint: "By its name, as {{TELEGRAM_URL}}; the chat is in the address",
    placeholder: "{{TELEGRAM_URL}}",
  },
  discord: {
    label: "Secret with Discord’s address",
    hint: "By its name, as {{DISCORD_URL}}; questions have buttons where an app’s own address ends with ?with_components=true",
    placeholder: "{{DISCORD_URL}}",
  },
  email: {
    label: "E-mail address",
    hint: "One for each rule, and the instance has to have a way to send",
    placeholder: "team@example.com",
  },
};
const RESULTS = Object.keys(RESULT_LABELS) as RunResult[];

interface DestinationFieldsProps {
  rule: NotificationRule;
  /** Of the rule: `notify[0]`; empty where it is shown by itself. */
  path: string;
  onChange: (rule: NotificationRule) => void;
}

export function DestinationFields({ rule, path, onChange }: DestinationFieldsProps) {
  const { webhook, slack, telegram, discord, email, ...rest } = rule;
  const { by, address } = destinationOf({ webhook, slack, telegram, discord, email });
  const at = (key: string) => (path === "" ? key : `${path}.${key}`);
  return (
    <>
      <Row>
        <SelectField
          label="By"
          path={at("by")}
          value={by}
          options={PLACES}
          onChange={(next) => onChange({ ...rest, [next]: BEGINNINGS[next] })}
        />
        <TextField
          {...FIELDS[by]}
          path={at(by)}
          value={address}
          onChange={(next) => onChange({ ...rest, [by]: next })}
        />
      </Row>
      {rule.on.includes("succeeded") && (
        <Checks
          legend="Says nothing of successes whose result is"
          path={at("skip")}
          options={RESULTS}
          chosen={rule.skip}
          onChange={(skip) => onChange({ ...rule, skip })}
        />
      )}
    </>
  );
}
