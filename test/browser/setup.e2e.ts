/** An owner sets up the GitHub App in the browser: to GitHub and back, where it is installed, and what became of the one before. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { FakeGithub } from "#test/support/fake-github.ts";
import { bedWithGithub } from "./support/bed.ts";
import { pressOn, writeIn } from "./support/keyboard.ts";
import { visit } from "./support/visitor.ts";

const github = new FakeGithub();
const server = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const headers = new Headers(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  const body = chunks.length === 0 ? {} : { body: Buffer.concat(chunks) };
  const init = { method: request.method ?? "GET", headers, ...body };
  const answer = await github.answer(new Request(`http://github.test${request.url}`, init));
  response.writeHead(answer.status, { "content-type": "application/json" }).end(await answer.text());
});
after(() => server.close());

test("the App is made at GitHub, shown with where it is installed, and replaced", async (t) => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const bed = await bedWithGithub(origin);
  github.pem = await github.drawKey();
  github.installations.push({ id: 7, account: "acme", repositories: ["app"], isSuspended: true });
  let sent = "";
  await visit(t, bed, { isByKeys: true }, async ({ page, context, faults }) => {
    await context.route(`${origin}/**`, (route) => {
      const { url, method, postData } = {
        url: new URL(route.request().url()),
        method: route.request().method(),
        postData: route.request().postData() ?? "",
      };
      assert.equal(method, "POST");
      sent = new URLSearchParams(postData).get("manifest") ?? "";
      const code = `code-${github.codes.size}`;
      github.codes.add(code);
      const back = `${bed.url}/setup?code=${code}&state=${url.searchParams.get("state")}`;
      return route.fulfill({ contentType: "text/html", body: `<a href="${back}">Create GitHub App</a>` });
    });
    await page.goto("/setup");
    await writeIn(page, page.getByLabel("Organization"), "acme");
    await pressOn(page, page.getByRole("button", { name: "Make the App at GitHub" }));
    await pressOn(page, page.getByRole("link", { name: "Create GitHub App" }));
    await page.getByRole("link", { name: "Reveille test" }).waitFor();
    assert.equal(page.url(), `${bed.url}/setup`);
    assert.equal(JSON.parse(sent).redirect_url, `${bed.url}/setup`);
    await page.getByText("Selected repositories").waitFor();
    await page.getByText("Suspended").waitFor();
    assert.match(
      (await page.getByRole("link", { name: "Install it" }).getAttribute("href")) ?? "",
      /installations\/new$/,
    );
    const shown = await page.content();
    for (const secret of [github.webhookSecret ?? "", "PRIVATE KEY", "client-secret"])
      assert.ok(!shown.includes(secret));

    await page.reload();
    await pressOn(page, page.locator("summary", { hasText: "Replace it" }));
    await pressOn(page, page.getByRole("button", { name: "Make the App at GitHub" }));
    await pressOn(page, page.getByRole("link", { name: "Create GitHub App" }));
    await page.getByText("The App before").waitFor();

    // A page that is loaded again, or a link that somebody else has made, changes nothing.
    await page.goto("/setup?code=code-0&state=rvl_setup_of-nobody");
    await page.getByText("The App was not taken.").waitFor();
    await page.getByRole("link", { name: "Reveille test" }).waitFor();
    assert.deepEqual(faults, []);
  });
});
