/** A person signs out: whatever the sign-in has opened closes, and nothing else does. */
import { expect, it } from "vitest";
import { buildRoutine, call, fired, watch } from "#test/support/api.ts";
import { asBrowser, signIn } from "#test/support/browser.ts";
import { evictOwnerOf } from "#test/support/objects.ts";
import { dial } from "#test/support/test-socket.ts";

it("closes the sockets of the sign-in, opened by cookie or by ticket", async () => {
  const routine = await buildRoutine();
  const { run_id, claude_code_session_id: sessionId } = await fired(routine);
  const live = `/api/v1/sessions/${sessionId}/live`;
  const browser = await signIn();
  const other = await signIn();
  const byCookie = await dial(live, browser);
  const ticket = async (whose: Record<string, string>) => {
    const issued = await asBrowser("POST", `/api/v1/sessions/${sessionId}/ticket`, whose);
    return (await issued.json<{ ticket: string }>()).ticket;
  };
  const byTicket = await dial(`${live}?ticket=${await ticket(browser)}`);
  const unused = await ticket(browser);
  const ofOther = await dial(`${live}?ticket=${await ticket(other)}`);
  const ofOwner = await watch(sessionId);
  await evictOwnerOf(run_id);

  const signedOut = await asBrowser("POST", "/api/v1/sign-out", browser);
  expect(signedOut.status).toBe(204);
  for (const socket of [byCookie, byTicket]) {
    await socket.until(() => socket.closed !== null);
    expect(socket.closed?.code).toBe(4401);
  }
  const late = await dial(`${live}?ticket=${unused}`);
  await late.until(() => late.closed !== null);
  expect(late.closed?.code).toBe(4401);
  await call("POST", `/api/v1/runs/${run_id}/cancel`);
  for (const socket of [ofOther, ofOwner]) await socket.next(({ type }) => type === "caught_up");
  expect([ofOther.closed, ofOwner.closed]).toEqual([null, null]);
});
