/**
 * Notion's webhooks.
 * @see https://developers.notion.com/reference/webhooks "Webhooks": the verification token, and the signature made with it
 * @see https://developers.notion.com/reference/webhooks-events-delivery "Event types & delivery": payloads and repeats
 */
import type { JsonObject } from "#protocol/schema.ts";
import { verifyHexSignature } from "./hex-signature.ts";
import type {
  EndpointSettings,
  InboundRequest,
  Introduction,
  Listener,
  Reading,
  Verification,
  VerifyContext,
} from "./listener.ts";
import { listed, namedFields, textsOf } from "./named-fields.ts";
import { contextOf, jsonObject, plainObject, readEvent, textAt, valueAt, wordAt } from "./payload.ts";

export const notion: Listener = {
  source: "notion",
  title: "Notion",
  secretFrom: "source",
  fields: [
    { field: "author_types", what: "The kinds of those who did it: person, bot, agent" },
    { field: "authors", what: "The ids of those who did it" },
    {
      field: "updated_properties",
      what: "Of page.properties_updated: the ids of the properties; of a schema: the names",
    },
    { field: "entity.type", what: "page, block, database, data_source or comment" },
    { field: "entity.id", what: "The id of what changed" },
    { field: "data.parent.id", what: "The id of what it lies in: a database, for instance" },
    { field: "data.parent.type", what: "page, database, space, …" },
    { field: "data.parent.data_source_id", what: "The data source that a page lies in" },
    { field: "data.page_id", what: "Of a comment: the page" },
    { field: "workspace_name", what: "The workspace" },
  ],
  setUp,
  verify,
  read,
  introduce,
};

function setUp(url: string): readonly string[] {
  return [
    "In Notion, open <https://www.notion.so/profile/integrations>, and make an internal integration, or open the one that you have.",
    "Share the pages and databases with it: on the page, **••• → Connections**. For comments, give it the capability **Read comments**.",
    "In the integration, open the tab **Webhooks**, and press **Create a subscription**.",
    `Give it the **Webhook URL** \`${url}\`, choose the event types, and press **Create subscription**.`,
    "Notion sends its verification token to Reveille at once, which shows it to you with when and from where it came. Anybody who knows the address can send one, so Reveille believes none yet.",
    "Back in Notion, press **Verify**, paste the token, and press **Verify subscription**. If none came, press **Resend token** first. Notion accepts its own token alone.",
    "Confirm that token in Reveille. What Notion sends before that is refused; Notion sends it again, for a day.",
    "Add a comment to a shared page: the delivery shows up in Reveille within seconds. Edits of a page take a minute or two.",
  ];
}

function verify({ headers, body }: InboundRequest, { secrets }: VerifyContext): Promise<Verification> {
  return verifyHexSignature(headers.get("x-notion-signature"), "sha256=", body, secrets);
}

/** The token is what Notion signs with from then on. Nobody has signed this: Notion tells its own when a person brings it back. */
function introduce({ body }: InboundRequest): Introduction | null {
  const payload = plainObject(body);
  const secret = textAt(payload ?? undefined, "verification_token");
  if (payload === null || secret === null || Object.keys(payload).length !== 1) return null;
  if (!/^[\x21-\x7e]{16,255}$/.test(secret)) return null;
  return { secret, answer: { status: 200, contentType: "text/plain", body: "ok" } };
}

function read({ body }: InboundRequest, _settings: EndpointSettings): Reading {
  const payload = jsonObject(body);
  if (payload === null) return { kind: "unreadable", reason: "The body is not a JSON object." };
  if (Object.hasOwn(payload, "verification_token")) {
    return { kind: "ignored", reason: "Notion sent its verification token again; it is the one that is known." };
  }
  const name = textAt(payload, "type");
  if (name === null) return { kind: "unreadable", reason: "The body has no type." };
  const kind = textAt(payload, "entity.type");
  const id = textAt(payload, "entity.id");
  const authorTypes = textsOf(valueAt(payload, "authors"), "type");
  const properties = propertiesOf(payload);
  return {
    kind: "event",
    event: readEvent({
      name,
      action: null,
      summary: id === null ? `Notion ${name}` : `Notion ${name}: ${kind ?? "entity"} ${id}`,
      dedupe_key: textAt(payload, "id"),
      payload,
      fields: namedFields({
        author_types: authorTypes,
        authors: textsOf(valueAt(payload, "authors"), "id"),
        updated_properties: properties,
      }),
      context: contextOf([
        ["Event", name],
        ["What", kind],
        ["Id", id],
        ["URL", addressOf(payload)],
        ["By", listed(authorsOf(payload))],
        ["At", textAt(payload, "timestamp")],
        ["Workspace", textAt(payload, "workspace_name") ?? textAt(payload, "workspace_id")],
        ["Page", textAt(payload, "data.page_id")],
        [
          "Lies in",
          listed(
            [textAt(payload, "data.parent.type"), textAt(payload, "data.parent.id")].filter((part) => part !== null),
          ),
        ],
        ["Changed blocks", listed(textsOf(valueAt(payload, "data.updated_blocks"), "id"))],
        ["Changed properties", listed(properties)],
        ["Note", "Notion tells that something changed, not what it says: read it through Notion's API by its id."],
      ]),
    }),
  };
}

/** Notion opens a page or a database, or the page that a comment is on, by its id without hyphens. */
function addressOf(payload: JsonObject): string | null {
  const isAddressed = ["page", "database"].includes(textAt(payload, "entity.type") ?? "");
  const id = textAt(payload, "data.page_id") ?? (isAddressed ? textAt(payload, "entity.id") : null);
  return id !== null && /^[0-9a-f-]{32,36}$/.test(id) ? `https://www.notion.so/${id.replaceAll("-", "")}` : null;
}

function authorsOf(payload: JsonObject): string[] | null {
  const authors = valueAt(payload, "authors");
  return Array.isArray(authors)
    ? authors.map((author) => `${wordAt(author, "type") ?? "?"} ${wordAt(author, "id") ?? "?"}`)
    : null;
}

/** The ids of a page's properties; of a schema, the names of its columns. */
function propertiesOf(payload: JsonObject): string[] | null {
  const changed = valueAt(payload, "data.updated_properties");
  if (!Array.isArray(changed)) return null;
  return changed.flatMap((property) =>
    typeof property === "string" ? property : (textAt(property, "name") ?? textAt(property, "id") ?? []),
  );
}
