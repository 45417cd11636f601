/** The secrets that variables name and that are not there: a run would fail by their names. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { allSecretsQuery } from "../secrets/secret-queries.ts";
import { secretsIn } from "../secrets/where-named.ts";
import { AlertIcon } from "../ui/icons.tsx";
import styles from "./environments.module.css";

export function MissingSecrets({ variables }: { variables: Readonly<Record<string, string>> }) {
  const secrets = useQuery(allSecretsQuery).data;
  if (secrets === undefined) return null;
  const named = new Set(Object.values(variables).flatMap(secretsIn));
  const missing = [...named].filter((name) => !secrets.some((secret) => secret.name === name));
  if (missing.length === 0) return null;
  return (
    <ul className={styles.missing} aria-label="Missing secrets">
      {missing.map((name) => (
        <li key={name}>
          <AlertIcon />
          <span>
            <code>{name}</code> is no secret yet: runs fail until it is set.{" "}
            <Link to="/secrets" search={{ set: name }}>
              Set {name}
            </Link>
          </span>
        </li>
      ))}
    </ul>
  );
}
