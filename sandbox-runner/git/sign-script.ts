/** The program by which git in the sandbox has its commits signed, as pure text: it holds no key, and asks the worker. */

export const SIGN_SCRIPT = "sign-commit";

/**
 * Git calls it as it calls ssh-keygen: `-Y sign -n git -f KEY FILE`, and reads FILE.sig. Everything else is left to ssh-keygen.
 * In Bash alone, so that it needs no program to ask by HTTP.
 * @param relayUrl `http://HOST:PORT`, which is asked directly; `http://HOST`, which is asked through the sandbox's HTTP proxy, as
 *   git does.
 */
export function signScript({
  relayUrl,
  runId,
  proxyToken,
}: {
  relayUrl: string;
  runId: string;
  proxyToken: string;
}): string {
  const { host, port } = new URL(relayUrl);
  const isDirect = port !== "";
  const path = `/proxy/${runId}/sign`;
  return `#!/bin/bash
[ "$1 $2" = "-Y sign" ] || exec ssh-keygen "$@"
file=\${!#}
${isDirect ? `place=${host}` : THROUGH_PROXY}
exec 3<>"/dev/tcp/\${place%:*}/\${place##*:}" || exit 1
printf 'POST ${isDirect ? path : `${relayUrl}${path}`} HTTP/1.0\\r\\nHost: ${host}\\r\\nAuthorization: Bearer ${proxyToken}\\r\\nContent-Type: application/octet-stream\\r\\nContent-Length: %s\\r\\n\\r\\n' "$(stat -c %s -- "$file")" >&3
cat -- "$file" >&3
IFS= read -r status <&3
while IFS= read -r line <&3 && [ "$line" != $'\\r' ]; do :; done
answer=$(cat <&3)
case $status$answer in
  *" 200 "*"-----END SSH SIGNATURE-----") printf '%s\\n' "$answer" >"$file.sig" ;;
  *) echo "The commit was not signed: \${answer:-its signature did not come whole}" >&2; exit 1 ;;
esac
`;
}

/** The proxy's `HOST:PORT` out of `http://USER:PASSWORD@HOST:PORT/`. */
const THROUGH_PROXY = `place=\${http_proxy#*://}
place=\${place%%/*}
place=\${place##*@}
[ -n "$place" ] || { echo "The commit was not signed: http_proxy is not set." >&2; exit 1; }`;
