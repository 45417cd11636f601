/** What the conformance suite starts as the client that it looks at: it hands the scenario to the test, and waits. */
const [door = "", url = ""] = process.argv.slice(2);
const { MCP_CONFORMANCE_SCENARIO, MCP_CONFORMANCE_CONTEXT, MCP_CONFORMANCE_PROTOCOL_VERSION } = process.env;
const answer = await fetch(door, {
  method: "POST",
  body: JSON.stringify({
    scenario: MCP_CONFORMANCE_SCENARIO,
    context: JSON.parse(MCP_CONFORMANCE_CONTEXT ?? "{}"),
    version: MCP_CONFORMANCE_PROTOCOL_VERSION ?? null,
    url,
  }),
});
process.stderr.write(await answer.text());
process.exitCode = answer.ok ? 0 : 1;
