/** The program by which git in the sandbox has its commits signed, as pure text: it holds no key, and asks the worker. */

export const SIGN_SCRIPT = "sign-commit";

/**
 * Git calls it as it calls ssh-keygen: `-Y sign -n git -f KEY FILE`, and reads FILE.sig. Everything else is left to ssh-keygen.
 * In Bash alone, so that it needs no program to ask by HTTP.
 * @param relayUrl `http://HOST:PORT`.
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
  const { hostname, port } = new URL(relayUrl);
  return `#!/bin/bash
[ "$1 $2" = "-Y sign" ] || exec ssh-keygen "$@"
file=\${!#}
exec 3<>/dev/tcp/${hostname}/${port} || exit 1
printf 'POST /proxy/${runId}/sign HTTP/1.0\\r\\nHost: ${hostname}:${port}\\r\\nAuthorization: Bearer ${proxyToken}\\r\\nContent-Type: application/octet-stream\\r\\nContent-Length: %s\\r\\n\\r\\n' "$(stat -c %s -- "$file")" >&3
cat -- "$file" >&3
IFS= read -r status <&3
while IFS= read -r line <&3 && [ "$line" != $'\\r' ]; do :; done
case $status in
  *" 200 "*) cat <&3 >"$file.sig" ;;
  *) echo "The commit was not signed: $(cat <&3)" >&2; exit 1 ;;
esac
`;
}
