/** The pages about the instance, each with something on it. */
import type { Page } from "playwright-core";
import { environmentSchema } from "#protocol/environment.ts";
import { secretSchema } from "#protocol/secret.ts";
import { sharedBudgetSchema } from "#protocol/shared-budget.ts";
import { ask, type Bed } from "./bed.ts";

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
  return [
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
        await page.getByRole("radio", { name: /^Only runs/ }).check();
      },
    },
  ];
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
