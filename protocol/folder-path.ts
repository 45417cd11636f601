/** A folder of a repository, as a routine names it. */
import { z } from "zod";

/** A folder of a repository, as git takes it for a sparse working tree: no pattern, and nothing that leads elsewhere. */
export const folderPathSchema = z
  .string()
  .min(1)
  .max(1_000)
  .refine(
    (path) => path.isWellFormed() && !/[\p{Cc}\\"*?[\]]/u.test(path) && !/^[!#]|\s$/.test(path),
    "must be a folder of the repository by its name: no pattern, no quotation mark, backslash or control character",
  )
  .refine(
    (path) =>
      path
        .replace(/\/$/, "")
        .split("/")
        .every((part) => !/^(?:\.{0,2}|\.git)$/i.test(part)),
    'must lead from the repository\'s top folder down, for example "packages/app", without .. and not into .git',
  );
