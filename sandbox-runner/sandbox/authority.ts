/**
 * The certificate authority of whoever opens a container's HTTPS connections on their way out: without it nothing that the
 * agent starts would trust them.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

export interface AuthorityFiles {
  /** The authority's certificate, which the platform puts there. */
  authority: string;
  /** All that the system's programs trust. */
  bundle: string;
  /** Chromium reads it when it starts. */
  chromiumPolicy: string;
}

const FILES: AuthorityFiles = {
  authority: "/etc/cloudflare/certs/cloudflare-containers-ca.crt",
  bundle: "/etc/ssl/certs/ca-certificates.crt",
  chromiumPolicy: "/etc/chromium/policies/managed/authority.json",
};

/** Programs that look for a bundle of their own, or have one built in, unless a variable names another. */
const BUNDLE_VARIABLES = [
  "AWS_CA_BUNDLE",
  "CARGO_HTTP_CAINFO",
  "CURL_CA_BUNDLE",
  "DENO_CERT",
  "GIT_SSL_CAINFO",
  "PIP_CERT",
  "REQUESTS_CA_BUNDLE",
  "SSL_CERT_FILE",
];

/**
 * Makes the system trust the authority, once it is there.
 * @returns variables for programs that do not ask the system; null as long as there is no authority.
 */
export function trustAuthority(files: AuthorityFiles = FILES): Record<string, string> | null {
  if (!existsSync(files.authority)) return null;
  const certificate = readFileSync(files.authority, "utf8").trim();
  if (!readFileSync(files.bundle, "utf8").includes(certificate)) appendFileSync(files.bundle, `\n${certificate}\n`);
  mkdirSync(dirname(files.chromiumPolicy), { recursive: true });
  writeFileSync(files.chromiumPolicy, JSON.stringify({ CACertificates: certificatesIn(certificate) }));
  const variables = Object.fromEntries(BUNDLE_VARIABLES.map((name) => [name, files.bundle]));
  return { ...variables, NODE_EXTRA_CA_CERTS: files.authority };
}

/** Each certificate of a PEM file, in base64 without lines. */
function certificatesIn(pem: string): string[] {
  const found = pem.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g);
  return [...found].map(([, base64 = ""]) => base64.replace(/\s/g, ""));
}
