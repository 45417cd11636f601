/** The fake host keeps the contract that the real ones keep. */
import { type HostUnderTest, recordReports, runnerHostContract } from "#test/contracts/runner-host.ts";
import { FakeRunnerHost } from "#test/support/fake-runner-host.ts";

runnerHostContract("the fake", async (): Promise<HostUnderTest> => {
  const { reports, sink } = recordReports();
  const host = new FakeRunnerHost(sink);
  return {
    reports,
    use: async (work) => work(host),
    check: async (nowMs) => host.check(nowMs),
    join: async (start) => {
      const received = host.join(start);
      return {
        received: async () => [...received],
        accept: async (lease) => host.accept(start.id, lease),
        decline: async (lease) => host.decline(start.id, lease),
        ended: async (lease) => host.end(start.id, lease),
        leave: async (nowMs) => host.leave(start.id, nowMs),
      };
    },
  };
});
