/**
 * Gives the token of a connector's login to whoever calls its server, and renews it: of all that use it, in whatever isolate, one
 * at a time, because a refresh token is often good once.
 */
import type { Connector } from "#protocol/connector.ts";
import { boundTo, readableScope } from "#rules/connectors/oauth-login.ts";
import type { LoginRow } from "../../d1/connector-logins.ts";
import { askTokens, type LoginUse } from "./ask-tokens.ts";
import { type KeptLogin, type OauthClient, openedLogin, sealedLogin, shownLogin, type Tokens } from "./kept-login.ts";
import type { LoginParts } from "./login-parts.ts";

/** `detail` is a sentence for people. */
export type AccessAnswer = { ok: true; token: string } | { ok: false; detail: string };

/** A token that is to end within this time is renewed before it is used. */
const EARLY_MS = 60_000;
/** Longer than a renewal takes: it has been given up then, and its answer is lost. */
const RENEWAL_MS = 30_000;
/** So long somebody waits for the renewal of another. */
const WAIT_MS = 20_000;
const LOOK_MS = 250;
/** A server that refuses a token that has just been made refuses the login, and not the token. */
const REFUSED_AGAIN_MS = 60_000;

const NOBODY = "Nobody is logged in: log in on the connector's page.";
const UNREADABLE = "Its login can't be decrypted: log in again.";
const LOG_IN = "Log in again.";

type Usable = KeptLogin & { tokens: Tokens; client: OauthClient };

export class LoginAccess {
  readonly #parts: LoginParts;

  constructor(parts: LoginParts) {
    this.#parts = parts;
  }

  /**
   * @param use for whom a secret of the client's is read, where it has one.
   * @param refused the token that the server has just refused; null where none was.
   * @throws where D1 gives no answer.
   */
  async tokenOf(connector: Connector, use: LoginUse, refused: string | null): Promise<AccessAnswer> {
    const { logins, ring, now, pause } = this.#parts;
    const waitsUntil = now() + WAIT_MS;
    for (;;) {
      const row = await logins.find(connector.id);
      if (row === null || row.bound_to !== boundTo(connector)) return lacks(NOBODY);
      if (row.ended !== null) return lacks(row.ended);
      const login = await openedLogin(ring, connector.id, row.sealed);
      if (!isUsable(login)) return lacks(UNREADABLE);
      const { tokens } = login;
      const endsAt = tokens.expires_at_ms ?? Number.POSITIVE_INFINITY;
      const isRefused = refused === tokens.access_token;
      if (!isRefused && endsAt - EARLY_MS > now()) return { ok: true, token: tokens.access_token };
      const isOver = isRefused || endsAt <= now();
      const renewable = tokens.refresh_token;
      if (renewable === null) {
        if (!isOver) return { ok: true, token: tokens.access_token };
        return lacks(
          `${isRefused ? "The server refuses its login" : "Its login has expired"}, and it can't be renewed. ${LOG_IN}`,
        );
      }
      const renewedAt = login.renewed_for_refusal_at_ms;
      if (isRefused && renewedAt !== null && renewedAt + REFUSED_AGAIN_MS > now())
        return lacks(`The server refuses its login, though it has just been renewed. ${LOG_IN}`);
      if (await logins.beginRenewal(row, now(), now() + RENEWAL_MS))
        return await this.#renew(connector, { row, login, renewable, isRefused, isOver }, use);
      // Whoever comes meanwhile uses the one before, as long as it is good.
      if (!isOver) return { ok: true, token: tokens.access_token };
      if (now() >= waitsUntil) return lacks("Its login is being renewed, and nothing has come of that yet.");
      await pause(LOOK_MS);
    }
  }

  /** Notes the scope that the server misses: the next login asks for it. @returns it, where it is one. */
  async noteWanted({ id }: Connector, scope: string | undefined): Promise<string | null> {
    const wanted = readableScope(scope);
    if (wanted !== null) await this.#parts.logins.noteWanted(id, wanted);
    return wanted;
  }

  async #renew(
    connector: Connector,
    found: { row: LoginRow; login: Usable; renewable: string; isRefused: boolean; isOver: boolean },
    use: LoginUse,
  ): Promise<AccessAnswer> {
    const { logins, ring, now } = this.#parts;
    const { row, login, isRefused, isOver } = found;
    const host = new URL(login.server.issuer).host;
    const answer = await askTokens(this.#parts, connector, login, { refreshToken: found.renewable }, use);
    const write = async (written: KeptLogin, ended: string | null) => {
      const sealed = await sealedLogin(ring, connector.id, written);
      const shown = shownLogin({ ...written, tokens: written.tokens ?? login.tokens }, login.client, login.by);
      await logins.renew(row, { sealed, shown, ended });
    };
    if (answer.kind === "tokens") {
      const { refresh_token, scope, ...rest } = answer.tokens;
      const tokens = { ...rest, refresh_token: refresh_token ?? found.renewable, scope: scope ?? login.tokens.scope };
      const renewed_for_refusal_at_ms = isRefused ? now() : null;
      await write({ ...login, tokens, renewed_for_refusal_at_ms, has_lost_answer: false }, null);
      // Somebody may have logged out, or in anew, meanwhile: what is kept is what counts.
      return await this.#kept(connector);
    }
    if (answer.kind === "refused") {
      // Who took the renewal before and has not given it up has been killed, with or without an answer.
      const lost =
        login.has_lost_answer || row.renewing_until !== null
          ? " An answer to an earlier renewal was lost, which may have used it up."
          : "";
      const ended = `The authorization server ${host} ${answer.words}, so the login can't be renewed.${lost} ${LOG_IN}`;
      const isClientGone = answer.code === "invalid_client" || answer.code === "unauthorized_client";
      await write({ ...login, tokens: null, client: isClientGone ? null : login.client }, ended);
      return lacks(ended);
    }
    if (answer.kind === "not_asked" || login.has_lost_answer) await logins.giveUpRenewal(row);
    else await write({ ...login, has_lost_answer: true }, null);
    if (!isOver) return { ok: true, token: login.tokens.access_token };
    const detail = `Its login could not be renewed: the authorization server ${host} ${answer.words}. The next call tries again; if it stays so, log in again.`;
    return lacks(detail);
  }

  async #kept(connector: Connector): Promise<AccessAnswer> {
    const row = await this.#parts.logins.find(connector.id);
    if (row === null || row.ended !== null || row.bound_to !== boundTo(connector)) return lacks(NOBODY);
    const login = await openedLogin(this.#parts.ring, connector.id, row.sealed);
    return isUsable(login) ? { ok: true, token: login.tokens.access_token } : lacks(UNREADABLE);
  }
}

function isUsable(login: KeptLogin | null): login is Usable {
  return login !== null && login.tokens !== null && login.client !== null;
}

function lacks(detail: string): { ok: false; detail: string } {
  return { ok: false, detail };
}
