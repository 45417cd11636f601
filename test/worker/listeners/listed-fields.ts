/** That an event really has each field of which a listener tells. */
import { describe, expect, it } from "vitest";
import { valueAt } from "#worker/inbound/sources/payload.ts";
import type { ListenerCase } from "./listener-case.ts";
import { NOW_MS } from "./listener-suite.ts";
import { bytesOf } from "./signing.ts";

const SETTINGS = { auth: null, pubsub: null, url: "https://reveille.example/webhooks/x/trg_1" };

export function describeListedFields(cases: readonly ListenerCase[]): void {
  describe("the fields that are listed", () => {
    const rows = cases.flatMap((tested) =>
      tested.listener.fields.map(({ field }) => ({ title: tested.listener.title, field, tested })),
    );

    it.each(rows)("of $title have $field, which an event really has", ({ field, tested }) => {
      const alike = cases.filter(({ listener }) => listener === tested.listener);
      const sent = alike.flatMap(({ samples, settings }) => samples.map((sample) => ({ sample, settings })));
      const found = sent.some(({ sample, settings }) => {
        const request = { headers: new Headers(sample.headers), body: bytesOf(sample.body(NOW_MS)) };
        const reading = tested.listener.read(request, { ...SETTINGS, ...settings });
        if (reading.kind !== "event") return false;
        return field in reading.event.fields || valueAt(reading.event.payload, field) !== undefined;
      });
      expect(found).toBe(true);
    });
  });
}
