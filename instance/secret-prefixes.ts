/** How secrets that an instance draws begin. */

/** By them people tell what a leaked text is. `test/support/secret-kinds.ts` has where each of them may be seen. */
export const SECRET_PREFIXES = {
  fire_token: "rvf_",
  ticket: "rvt_",
  endpoint_secret: "rvw_",
  pool_token: "rvp_",
  web_session: "rvl_web_",
  sign_in_code: "rvl_code_",
  app_setup: "rvl_setup_",
} as const;
export type DrawnSecret = keyof typeof SECRET_PREFIXES;
