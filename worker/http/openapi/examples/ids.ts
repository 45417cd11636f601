/** Ids and moments that the examples share, so that what belongs together has one id in all of them. */

/** Of one owner: its routine's object. */
const BODY = "01M3RP5K0Q9W4XHT7ZC2YB6N8D";

export const ROUTINE_ID = `rtn_${BODY}`;
export const TRIGGER_ID = `trg_${BODY}`;
export const OCCURRENCE_ID = `occ_${BODY}`;
export const RUN_ID = `run_${BODY}`;
export const SESSION_ID = `session_${BODY}`;
export const DELIVERY_ID = `dlv_${BODY}`;
export const SIGN_IN_ID = `sgn_${BODY}`;
export const ENVIRONMENT_ID = `env_${BODY}`;
export const CONNECTOR_ID = `con_${BODY}`;
export const NOTIFICATION_ID = `ntf_${BODY}`;
export const ARTIFACT_ID = "art_5f2b8c1d9e0a4b7c6d3e1f20";

export const COMMIT = "9fceb02d0ae598e95dc970b74767f19372d61af8";
export const PARENT_COMMIT = "d670460b4b4aece5915caf5c68d12f560a9fe3e4";
export const REPOSITORY = "https://github.com/acme/docs";

export const EARLIER = "2026-11-20T08:00:00.000Z";
export const QUEUED_AT = "2026-11-23T09:00:00.000Z";
export const STARTING_AT = "2026-11-23T09:00:00.210Z";
export const RUNNING_AT = "2026-11-23T09:00:04.870Z";
export const SPOKE_AT = "2026-11-23T09:00:07.350Z";
export const FINISHED_AT = "2026-11-23T09:03:41.020Z";
export const NEXT_AT = "2026-11-30T09:00:00.000Z";
export const LATER = "2026-12-01T00:00:00.000Z";

export const OWNER = { kind: "owner", id: null, name: "owner" } as const;
