/** The fake host keeps the contract that the real ones keep. */
import {
  type JoinedHostUnderTest,
  joinedHostContract,
  joinMany,
  type RunnerStart,
} from "#test/contracts/joined-host.ts";
import { leaseHostContract, type PlaceUnderTest, recordReports } from "#test/contracts/lease-host.ts";
import { FakeLeaseHost } from "#test/support/fake-lease-host.ts";

async function makeHost(): Promise<JoinedHostUnderTest> {
  const { reports, disowned, sink } = recordReports();
  const host = new FakeLeaseHost(sink);
  const workers = new Map<string, PlaceUnderTest>();
  const join = async (start: RunnerStart): Promise<PlaceUnderTest> => {
    const received = host.join(start);
    const worker: PlaceUnderTest = {
      received: async () => [...received],
      accept: async (lease) => host.accept(start.id, lease),
      decline: async (lease) => host.decline(start.id, lease),
      ended: async (lease) => host.end(start.id, lease),
      leave: async (nowMs) => host.leave(start.id, nowMs),
    };
    workers.set(start.id, worker);
    return worker;
  };
  return {
    reports,
    disowned,
    use: async (work) => work(host),
    join,
    makeRoom: (places) => joinMany(places, join),
    at: (place) => {
      const worker = workers.get(place);
      if (worker === undefined) throw new Error(`nobody works at ${place}`);
      return worker;
    },
  };
}

leaseHostContract("the fake", makeHost);
joinedHostContract("the fake", makeHost);
