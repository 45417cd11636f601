/** The script that puts the session's trailer into commit messages, as pure text. */

/** Its file's name, beside the hooks that call it. */
export const TRAILER_SCRIPT = "session-trailer";

/** The end of a hook that gets a commit message. */
export function trailerCall(hook: string): string {
  return `exec "\${0%/*}/${TRAILER_SCRIPT}" ${hook} "$@"\n`;
}

/**
 * Puts the trailer at the end of a message, as a paragraph of its own, and takes it away everywhere else: so amending and
 * squashing keep one. Before the editor (`prepare-commit-msg`, which `--no-verify` does not leave out) and after it
 * (`commit-msg`); `git interpret-trailers` is no help, for it takes a line `---` for the end of a message.
 *
 * The end is the end of the file, or the line from which git cuts the rest off. What git takes for no message stays as
 * it is, so that git still refuses it: nothing but blanks, comments and sign-offs, or a template that nobody has touched.
 */
export function sessionTrailer(sessionUrl: string): string {
  return `#!/bin/sh
hook=$1 file=$2 source=$3
export LC_ALL=C trailer='Session: ${shellSafe(sessionUrl)}'

untouched=$(git rev-parse --git-path SESSION_TEMPLATE)
if [ "$hook $source" = "prepare-commit-msg template" ]; then
  git stripspace --strip-comments < "$file" > "$untouched"
  exit 0
elif [ "$hook" = commit-msg ] && [ -e "$untouched" ]; then
  same=$(git stripspace --strip-comments < "$file" | cmp -s - "$untouched" && echo yes)
  rm -f "$untouched"
  [ -z "$same" ] || exit 0
else
  rm -f "$untouched"
fi

cleanup=$(git config commit.cleanup)
comment=$(git config core.commentString || git config core.commentChar || echo '#')
# A message that is given, not written in an editor, keeps lines that look like comments.
keeps=
case "$hook $source $cleanup" in
  *" strip") ;;
  *" verbatim" | *" whitespace" | applypatch-msg* | "prepare-commit-msg message "*) keeps=yes ;;
esac
# Whether git cuts at a line of scissors that it has not written itself.
cuts=
[ "$cleanup" != scissors ] || [ "$source" = message ] || cuts=yes
case $(git config --type=bool-or-int commit.verbose) in "" | false | 0) ;; *) cuts=yes ;; esac

export comment keeps cuts
awk '${RULE}' "$file" > "$file.session" && cat "$file.session" > "$file"
rm -f "$file.session"
`;
}

/** In awk, on bytes: a message may be in any encoding. Ends with 1 for what is no message. */
const RULE = String.raw`
function plain(text) { sub(/[ \t\r\f\v]+$/, "", text); return text }
function commented(text) {
  if (ENVIRON["comment"] == "auto") return index("#;@!$%^&|:", substr(text, 1, 1)) > 0
  return substr(text, 1, length(ENVIRON["comment"])) == ENVIRON["comment"]
}
function scissors(number, text) {
  text = plain(line[number])
  if (text !~ / ------------------------ >8 ------------------------$/ || !commented(text)) return 0
  return ENVIRON["cuts"] != "" || line[number + 1] ~ / Do not modify or remove the line above\.$/
}
{ line[NR] = $0 }
END {
  own = ENVIRON["trailer"]
  for (end = 1; end <= NR && !scissors(end); end++) {
    text = plain(line[end])
    if (text == own) { removed = 1; continue }
    if (text == "" && removed && (count == 0 || plain(kept[count]) == "")) continue
    removed = 0
    kept[++count] = line[end]
    if (text != "" && text !~ /^Signed-off-by: / && (ENVIRON["keeps"] != "" || !commented(text))) said = 1
  }
  if (!said) exit 1
  while (plain(kept[count]) == "") count--
  for (number = 1; number <= count; number++) print kept[number]
  print ""
  print own
  for (number = end; number <= NR; number++) print line[number]
}
`;

/** For use inside single quotes. */
function shellSafe(text: string): string {
  return text.replaceAll("'", "%27");
}
