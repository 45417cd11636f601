/** The part of a script that looks at a working tree once it is checked out, as pure text. */

/**
 * Prints how many files that `.gitattributes` gives to Git LFS have a pointer in place of their contents, and whether there are
 * submodules. Most repositories name no filter in any `.gitattributes`, and then no file is looked at.
 */
export const LOOK_SCRIPT = `if [ -n "$(git ls-files -z -- .gitattributes '*/.gitattributes' | xargs -0 -r grep -lsF 'filter=lfs' --)" ]; then
  printf 'pointers %s\\n' "$(git ls-files -z -- ':(attr:filter=lfs)' | xargs -0 -r head -qc 40 -- 2>/dev/null | grep -aoF 'version https://git-lfs' | wc -l)"
fi
if git ls-files --stage | awk '/^160000/ { found = 1 } END { exit !found }'; then echo 'submodules yes'; fi
exit 0
`;
