/** A front of gh that has it ask the relay, as pure text: it stands before the real one in PATH. */
import type { ClonedRepository } from "#protocol/repository.ts";

/** The one host with which gh speaks plain HTTP: docs/decisions/0025-gh.md. */
const GH_HOST = "github.localhost";

interface GhFrontInput {
  relayUrl: string;
  repositories: readonly ClonedRepository[];
  proxyToken: string;
}

/**
 * gh is told another host than the repositories' own, so what it reads of addresses is rewritten: those in its words here, remotes by the
 * front of git (`git-front.ts`). The relay is its proxy: `localhost` in the list of what is asked without one would be that host too.
 */
export function ghFront({ relayUrl, repositories, proxyToken }: GhFrontInput): string {
  const origins = new Set(repositories.flatMap(({ url }) => URL.parse(url)?.origin ?? []));
  const isDirect = new URL(relayUrl).port !== "";
  const rewritten = [...origins].map(
    (origin) => `    ${quote(`${origin}/`)}*) word=https://${GH_HOST}/\${word#${quote(`${origin}/`)}} ;;`,
  );
  const remotes = [...origins]
    .map((origin) => `s#${origin.replace(/[.#\\[\]*^$]/g, "\\$&")}/#https://${GH_HOST}/#`)
    .join(";");
  return `#!/bin/sh
REVEILLE_GH=\${NO_PROXY:-localhost,127.0.0.1,::1}
REVEILLE_GH_REMOTES=${quote(remotes)}
export REVEILLE_GH REVEILLE_GH_REMOTES
export GH_HOST=${GH_HOST} GH_TOKEN=${quote(proxyToken)} GH_PROMPT_DISABLED=1 GH_NO_UPDATE_NOTIFIER=1 NO_PROXY= no_proxy=
unset GITHUB_TOKEN GH_ENTERPRISE_TOKEN GITHUB_ENTERPRISE_TOKEN GH_REPO
${isDirect ? `export HTTP_PROXY=${quote(relayUrl)} http_proxy=${quote(relayUrl)}` : ""}
text=
for word in "$@"; do
  shift
  if [ -z "$text" ]; then
    case $word in
${rewritten.join("\n")}
    esac
  fi
  text=
  case $word in -b | --body | -t | --title | -n | --notes | -q | --jq | -f | -F | --field | --raw-field) text=yes ;; esac
  set -- "$@" "$word"
done
own=\${0%/*}
set -f
IFS=:
for folder in $PATH; do
  if [ "$folder" != "$own" ] && [ -x "$folder/gh" ]; then exec "$folder/gh" "$@"; fi
done
echo "gh: not found" >&2
exit 127
`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
