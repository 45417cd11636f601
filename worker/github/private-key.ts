/** Pure: the private key of a GitHub App, from the form in which GitHub gives it to the one form that WebCrypto reads. */

/** Version 0, and the algorithm rsaEncryption without parameters: what PKCS#8 puts before the key of PKCS#1. */
const RSA_PREFIX = [
  0x02, 0x01, 0x00, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];
const [SEQUENCE, OCTET_STRING] = [0x30, 0x04];

/**
 * GitHub gives PKCS#1 (`BEGIN RSA PRIVATE KEY`). @param pem also with `\n` written out, as in a file of variables.
 * @returns PKCS#8 (`BEGIN PRIVATE KEY`); null for what is no unencrypted private key in PEM.
 */
export function toPkcs8(pem: string): string | null {
  const text = pem.replaceAll("\\n", "\n");
  const [, kind, content = ""] =
    /-----BEGIN (RSA )?PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END \1?PRIVATE KEY-----/.exec(text) ?? [];
  const base64 = content.replaceAll(/\s/g, "");
  if (base64 === "" || base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return null;
  const key = Array.from(atob(base64), (char) => char.charCodeAt(0));
  return asPem(kind === undefined ? key : element(SEQUENCE, [...RSA_PREFIX, ...element(OCTET_STRING, key)]));
}

/** An element of DER: its tag, its length, and its content. */
function element(tag: number, content: readonly number[]): number[] {
  const { length } = content;
  if (length < 0x80) return [tag, length, ...content];
  const bytes = length < 0x100 ? [length] : [length >> 8, length & 0xff];
  return [tag, 0x80 | bytes.length, ...bytes, ...content];
}

function asPem(key: readonly number[]): string {
  const lines = btoa(String.fromCharCode(...key)).match(/.{1,64}/g) ?? [];
  return ["-----BEGIN PRIVATE KEY-----", ...lines, "-----END PRIVATE KEY-----", ""].join("\n");
}
