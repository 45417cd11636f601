/** Pure: what is said of an environment, and what is edited of one. */
import type { ContainerSize } from "#protocol/container-size.ts";
import type { Environment, EnvironmentInput, NetworkLevel } from "#protocol/environment.ts";

export const NETWORK_LEVELS: Record<NetworkLevel, { title: string; what: string }> = {
  none: { title: "Nothing", what: "Runs reach nothing but the model and their repositories." },
  trusted: {
    title: "Known package registries and development hosts",
    what: "npm, PyPI, crates.io, GitHub and others like them, and the hosts below.",
  },
  custom: { title: "Only the hosts below", what: "Whatever is not listed is refused, and the transcript says so." },
  full: { title: "Every public host", what: "What a run knows, it can then send anywhere." },
};

/** As Cloudflare names them. */
export const CONTAINER_SIZES: readonly ContainerSize[] = [
  "lite",
  "basic",
  "standard-1",
  "standard-2",
  "standard-3",
  "standard-4",
];

export function networkWords({ level, allow }: { level: NetworkLevel; allow: readonly string[] }): string {
  const hosts = allow.length === 1 ? "1 host" : `${allow.length} hosts`;
  switch (level) {
    case "none":
      return "No network";
    case "trusted":
      return allow.length === 0 ? "Known hosts" : `Known hosts and ${hosts}`;
    case "custom":
      return allow.length === 0 ? "No host allowed" : `Only ${hosts}`;
    case "full":
      return "Every public host";
  }
}

/** What the form has of an environment. */
export type EnvironmentDraft = Required<EnvironmentInput>;

export const NEW_ENVIRONMENT: EnvironmentDraft = {
  name: "",
  network: { level: "trusted", allow: [] },
  variables: {},
  setup: null,
  instance: null,
};

export function draftOfEnvironment({ name, network, variables, setup, instance }: Environment): EnvironmentDraft {
  return { name, network, variables, setup, instance };
}

/** As it is sent: without empty lines, and without hosts where there is no network. */
export function tidied(draft: EnvironmentDraft): EnvironmentDraft {
  const { level, allow } = draft.network;
  const hosts = allow.map((host) => host.trim()).filter((host) => host !== "");
  return {
    ...draft,
    network: { level, allow: level === "none" ? [] : hosts },
    setup: draft.setup === null || draft.setup.trim() === "" ? null : draft.setup,
  };
}

/** Only what has changed, so that a name that may not change is not sent. */
export function changesOf(base: EnvironmentDraft, draft: EnvironmentDraft): Partial<EnvironmentDraft> {
  return Object.fromEntries(
    Object.entries(draft).filter(
      ([key, value]) => JSON.stringify(value) !== JSON.stringify(base[key as keyof EnvironmentDraft]),
    ),
  );
}
