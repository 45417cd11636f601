/** Pure: the pages about the instance that are pictured, and what has to be set for them. */

/** Put in this order. */
export const INSTANCE_SETTINGS: readonly (readonly [path: string, body: object])[] = [
  ["/api/v1/secrets/REGISTRY_TOKEN", { value: "a value for the pictures" }],
  ["/api/v1/budgets", { scope: "instance", monthly_usd: 400 }],
  ["/api/v1/budgets", { scope: "tag", tag: "team", value: "docs", monthly_usd: 60 }],
  ["/api/v1/secrets/SLACK_URL", { value: "https://hooks.slack.com/services/of-nobody" }],
];

export const INSTANCE_SHOTS = [
  { name: "connectors", address: "/connectors", text: "No connectors yet" },
  { name: "connector-new", address: "/connectors/new", text: "Make connector" },
  { name: "environments", address: "/environments", text: "default" },
  { name: "environment", address: "/environments/default", text: "Size of the container" },
  { name: "environment-new", address: "/environments/new", text: "Make environment" },
  { name: "dead-letters", address: "/dead-letters", text: "No dead letters" },
  { name: "notifications", address: "/notifications", text: "Add a rule" },
  { name: "pools", address: "/pools", text: "default" },
  { name: "doctor", address: "/doctor", text: "things are fine" },
  { name: "secrets", address: "/secrets", text: "REGISTRY_TOKEN" },
  { name: "secret", address: "/secrets/REGISTRY_TOKEN", text: "No run has been given it" },
  { name: "setup", address: "/setup", text: "Make the App at GitHub" },
  { name: "docs", address: "/docs", text: "authenticate" },
  { name: "budgets", address: "/budgets", text: "spent in" },
] as const;
