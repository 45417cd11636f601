/** A routine that events wake, with what came and started nothing: how it is made, and the pages that tell of it. */
import type { Page } from "playwright-core";
import type { z } from "zod";
import { deliverySchema } from "#protocol/delivery.ts";
import { noteSchema } from "#protocol/note.ts";
import { routineSchema } from "#protocol/routine.ts";
import type { Call } from "#scripts/instance/api.ts";
import type { Shot } from "./shot.ts";

type Ask = <Schema extends z.ZodType>(call: Omit<Call<Schema>, "token">) => Promise<z.infer<Schema>>;

const ALERTS = {
  name: "Alert triage",
  prompt: "Find out what the alert means, where it comes from, and whether somebody has to be woken.",
  triggers: [
    { type: "schedule", cron: "0 7 * * 1-5", timezone: "Europe/Berlin" },
    {
      type: "event",
      name: "alert.raised",
      filters: [
        { field: "level", operator: "is_one_of", value: ["fatal"] },
        { field: "env", operator: "equals", value: "prod" },
      ],
    },
  ],
};

const NOTE = `- The alert “queue is long” comes each Monday morning and goes by itself.
- Who is on call stands in ops/on-call.md.`;

/** @param upstream the address of the repository. */
export async function eventShots(ask: Ask, upstream: string): Promise<Omit<Shot, "isSignedIn">[]> {
  const body = { ...ALERTS, repositories: [{ url: upstream }] };
  const { id } = await ask({ method: "POST", path: "/api/v1/routines", body, answer: routineSchema });
  const note = { text: NOTE };
  await ask({ method: "PUT", path: `/api/v1/routines/${id}/notes/known-alerts`, body: note, answer: noteSchema });
  const event = { name: "alert.raised", payload: { level: "error", env: "prod", service: "checkout" } };
  const delivery = await ask({ method: "POST", path: "/api/v1/events", body: event, answer: deliverySchema });
  const filters = (page: Page) => page.getByRole("list", { name: "Filters" }).first().waitFor();
  const edit = async (page: Page) => {
    await page.goto(`/routines/${id}/edit`);
    await page.getByRole("table", { name: "Next times" }).waitFor();
  };
  return [
    {
      name: "deliveries",
      open: async (page) => {
        await page.goto("/deliveries");
        await page.getByRole("link", { name: "Event alert.raised" }).first().waitFor();
      },
    },
    {
      name: "delivery",
      open: async (page) => {
        await page.goto(`/deliveries/${delivery.id}`);
        await filters(page);
      },
    },
    {
      name: "routine-unmatched",
      open: async (page) => {
        await page.goto(`/routines/${id}?tab=activity`);
        await filters(page);
      },
    },
    {
      name: "routine-notes",
      open: async (page) => {
        await page.goto(`/routines/${id}?tab=notes`);
        await page
          .getByRole("button", { name: /known-alerts/ })
          .first()
          .click();
        await page.getByText("queue is long").waitFor();
      },
    },
    {
      name: "editor-triggers",
      open: async (page) => {
        await edit(page);
        await page
          .getByRole("table", { name: "Next times" })
          .evaluate((table) => table.scrollIntoView({ block: "center" }));
      },
      next: {
        name: "editor-filters",
        open: (page) =>
          page
            .getByText("alert.raised")
            .last()
            .evaluate((field) => field.scrollIntoView({ block: "center" })),
      },
    },
    {
      name: "editor-json",
      open: async (page) => {
        await edit(page);
        await page.getByRole("tab", { name: "JSON" }).click();
        await page.getByRole("tabpanel", { name: "JSON" }).waitFor();
      },
    },
    {
      name: "editor-faults",
      open: async (page) => {
        await edit(page);
        await page.getByRole("textbox", { name: "Prompt" }).fill("");
        await page.getByRole("textbox", { name: "Name", exact: true }).first().fill("");
        await page.getByRole("button", { name: "Save", exact: true }).click();
        await page.getByRole("alert").first().waitFor();
      },
    },
    {
      name: "routine-delete",
      open: async (page) => {
        await page.goto(`/routines/${id}?tab=definition`);
        await page.getByRole("button", { name: "Delete…" }).click();
        await page.getByRole("dialog").getByLabel("Name of the routine").waitFor();
      },
    },
    {
      name: "palette",
      open: async (page) => {
        await page.goto("/routines");
        await page.getByRole("heading", { level: 1, name: "Routines" }).waitFor();
        await page.keyboard.press("Control+k");
        await page.getByRole("option", { name: ALERTS.name }).waitFor();
      },
    },
  ];
}
