/** The pages about the instance, each with something on it. */
import type { Page } from "playwright-core";
import { connectorSchema } from "#protocol/connector.ts";
import { environmentSchema } from "#protocol/environment.ts";
import { secretSchema } from "#protocol/secret.ts";
import { sharedBudgetSchema } from "#protocol/shared-budget.ts";
import { ask, atEnd, type Bed, createRoutine } from "./bed.ts";
import { IssuesServer } from "./issues-server.ts";

interface InstanceView {
  name: string;
  isDialog?: boolean;
  open(page: Page): Promise<unknown>;
}

/** Makes what they show. */
export async function instanceViews(bed: Bed): Promise<InstanceView[]> {
  await ask(bed, {
    method: "PUT",
    path: "/api/v1/secrets/LOOKED_AT",
    body: { value: "nobody reads this" },
    answer: secretSchema,
  });
  const environment = await ask(bed, {
    method: "POST",
    path: "/api/v1/environments",
    body: {
      name: "looked-at",
      network: { level: "custom", allow: ["files.example.com"] },
      variables: { TOKEN: "{{LOOKED_AT}}", OTHER: "{{A_SECRET_THAT_IS_NOT_THERE}}" },
      setup: "echo ready",
    },
    answer: environmentSchema,
  });
  await ask(bed, {
    method: "PUT",
    path: "/api/v1/budgets",
    body: { scope: "tag", tag: "looked-at", value: "a value that is rather long", monthly_usd: 60 },
    answer: sharedBudgetSchema,
  });
  const issues = await IssuesServer.start();
  // A hook of the test that makes them would come too early for the next.
  atEnd(() => issues.close());
  const connector = await makeConnector(bed, {
    name: "looked-at",
    url: issues.urlWithToken,
    auth: { type: "bearer", token: "{{LOOKED_AT}}" },
  });
  const unused = await makeConnector(bed, { name: "not-logged-in", url: issues.url, auth: { type: "oauth" } });
  const watching = await createRoutine(bed, {
    name: "Watches issues",
    prompt: "Sort them.",
    connectors: [{ name: connector.name, tools: { allow: ["list_issues", "get_*"], read_only: true } }, unused.name],
    triggers: [{ type: "watch", connector: connector.name, tool: "list_issues", items: "issues", every: "24h" }],
  });
  return [
    view("connectors", "/connectors", (page) => page.getByRole("link", { name: "looked-at" })),
    view("a connector", `/connectors/${connector.id}`, (page) => page.getByText("Watches issues")),
    view("a connector without its login", `/connectors/${unused.name}`, (page) =>
      page.getByText("Nobody is logged in."),
    ),
    {
      name: "a new connector",
      open: async (page) => {
        await page.goto("/connectors/new");
        await page.getByRole("radio", { name: /^With headers/ }).check();
        await page.getByRole("button", { name: "Add a header" }).waitFor();
      },
    },
    {
      name: "the connectors of a routine",
      open: async (page) => {
        await page.goto(`/routines/${watching.id}/edit`);
        await page.getByRole("button", { name: /^Connectors/ }).click();
        await page.getByRole("checkbox", { name: /^list_issues/ }).waitFor();
        await page.getByText(/^Last seen/).waitFor();
      },
    },
    view("environments", "/environments", (page) => page.getByRole("link", { name: "looked-at" })),
    view("an environment", `/environments/${environment.id}`, (page) => page.getByText(/is no secret yet/)),
    view("a new environment", "/environments/new", (page) => page.getByRole("button", { name: "Make environment" })),
    view("budgets", "/budgets", (page) => page.getByRole("list", { name: "budgets" })),
    view("dead letters", "/dead-letters", (page) =>
      page.getByRole("list", { name: "dead letters" }).or(page.getByText("No dead letters")),
    ),
    view("notifications", "/notifications", (page) => page.getByRole("button", { name: "Add a rule" })),
    view("pools", "/pools", (page) => page.getByRole("list", { name: "pools" })),
    view("the doctor", "/doctor", (page) => page.getByText(/things are fine/)),
    view("secrets", "/secrets", (page) => page.getByRole("link", { name: "LOOKED_AT" })),
    view("a secret", "/secrets/LOOKED_AT", (page) => page.getByText("No run has been given it")),
    {
      name: "set a secret",
      isDialog: true,
      open: async (page) => {
        await page.goto("/secrets");
        await page.getByRole("button", { name: "Set a secret" }).click();
        await page.getByRole("dialog").getByLabel("Value").fill("short");
        await page.getByRole("radio", { name: /^Only some/ }).check();
      },
    },
  ];
}

function makeConnector(bed: Bed, body: object) {
  return ask(bed, { method: "POST", path: "/api/v1/connectors", body, answer: connectorSchema });
}

function view(name: string, address: string, find: (page: Page) => ReturnType<Page["getByText"]>): InstanceView {
  return {
    name,
    open: async (page) => {
      await page.goto(address);
      await find(page).first().waitFor();
    },
  };
}
