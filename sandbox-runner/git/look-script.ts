/** The part of a script that looks at a working tree once it is checked out, as pure text. */

/**
 * Prints how many files that `.gitattributes` gives to Git LFS have a pointer in place of their contents, and whether there are
 * submodules. Most repositories name no filter in any `.gitattributes`, and then no file is looked at. A symbolic link is never
 * followed: git reads no attributes through one, and it may lead to what has no end.
 */
export const LOOK_SCRIPT = `regular_files() {
  git ls-files -s -z -- "$@" | tr '\\0\\n' '\\n\\0' | sed -n 's/^100[^\t]*\t//p' | tr '\\0\\n' '\\n\\0'
}
if [ -n "$(regular_files .gitattributes '*/.gitattributes' | xargs -0 -r grep -lsF 'filter=lfs' --)" ]; then
  printf 'pointers %s\\n' "$(regular_files ':(attr:filter=lfs)' | xargs -0 -r head -qc 40 -- 2>/dev/null | grep -aoF 'version https://git-lfs' | wc -l)"
fi
if git ls-files --stage | awk '/^160000/ { found = 1 } END { exit !found }'; then echo 'submodules yes'; fi
exit 0
`;
