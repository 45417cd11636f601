/** One request from inside a container and what comes of it, for programs that are run there. */
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";

/** Every connection is answered or reset, on a machine that has much else to do not at once. */
export const ANSWER_MS = 10_000;
/** The address that every name has in a container. */
export const EVERYBODY = "11.0.0.1";

/**
 * A request as it is written, with whatever it says of its host.
 * @param {string} host
 * @param {string} path
 * @param {Record<string, string>} [headers]
 */
export function request(host, path, headers = {}) {
  const lines = Object.entries({ Connection: "close", ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${lines.join("")}\r\n`;
}

/**
 * @param {number} port
 * @param {string} host
 * @param {string} text
 * @returns {Promise<string>}
 */
export function raw(port, host, text) {
  return exchange((ready) => connect({ port, host }, ready), text);
}

/**
 * @param {string} servername that TLS begins with.
 * @param {string} text
 * @returns {Promise<string>}
 */
export function overTls(servername, text) {
  return exchange(
    (ready) => connectTls({ host: EVERYBODY, port: 443, servername, rejectUnauthorized: false }, ready),
    text,
  );
}

/**
 * TLS through a proxy.
 * @param {{ host: string, port: number }} proxy
 * @param {string} authority that it is asked for.
 * @param {string} servername that TLS begins with.
 * @param {string} text
 * @returns {Promise<string>}
 */
export async function throughProxy(proxy, authority, servername, text) {
  let socket;
  const head = await exchange(
    (ready) => (socket = connect(proxy, ready)),
    `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`,
    true,
  );
  if (!head.startsWith("HTTP/1.1 200")) return head;
  return await exchange((ready) => connectTls({ socket, servername, rejectUnauthorized: false }, ready), text);
}

/** Resolves with the status line and what was denied, the error's code, or how it stayed silent. */
function exchange(open, text, isKept = false) {
  return new Promise((done) => {
    let answer = "";
    let state = "not connected";
    const socket = open(() => {
      state = "connected, no answer";
      socket.write(text);
    });
    const end = () => {
      clearTimeout(silence);
      const reason = /^x-deny-reason: (.*)$/im.exec(answer)?.[1]?.trim();
      const [line = ""] = answer.split("\r\n");
      done(answer === "" ? state : `${line.slice(0, 60)}${reason === undefined ? "" : ` ${reason}`}`);
      if (!isKept) socket.destroy();
      else socket.removeAllListeners();
    };
    socket.on("data", (part) => {
      answer += part.toString("latin1");
      if (answer.includes("\r\n\r\n")) isKept ? end() : setTimeout(end, 100);
    });
    socket.on("error", (error) => done(answer === "" ? String(error.code) : `${answer.split("\r\n")[0]}`));
    socket.on("end", end);
    const silence = setTimeout(end, ANSWER_MS);
  });
}
