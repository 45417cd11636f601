/** Asks for the owner's token: in place of any page, or over one whose reader has to sign in again. */
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import { useCodeRefusal } from "../access.ts";
import { signIn } from "../client/generated.ts";
import { Button } from "../ui/button.tsx";
import { Card } from "../ui/card.tsx";
import { ErrorNotice } from "../ui/error-state.tsx";
import { Field } from "../ui/field.tsx";
import { useWrite } from "../write.ts";
import styles from "./sign-in-view.module.css";

interface SignInViewProps {
  /** The product's, which every page has loaded already. */
  mark: ReactNode;
  /** Over a page that stays, with what has been written and read there. */
  isAgain?: boolean;
  /** Of its title, for what is named by that. */
  titleId?: string;
}

export function SignInView({ mark, isAgain = false, titleId }: SignInViewProps) {
  const queryClient = useQueryClient();
  const [token, setToken] = useState("");
  const codeRefusal = useCodeRefusal();
  const entering = useWrite({
    mutationFn: (given: string) => {
      // What an earlier visitor has read is not this one's to see.
      if (!isAgain) queryClient.clear();
      return signIn({ token: given });
    },
  });
  useEffect(() => {
    const before = document.title;
    document.title = "Sign in · Reveille";
    return () => {
      document.title = before;
    };
  }, []);

  function submit(event: FormEvent) {
    event.preventDefault();
    if (token.trim() !== "") entering.mutate(token.trim());
  }

  const error = entering.isIdle ? codeRefusal : entering.error;
  return (
    <div className={styles.view}>
      <Card className={styles.card}>
        {mark}
        <div>
          <h1 id={titleId} className={styles.title}>
            {isAgain ? "Sign in again" : "Sign in"}
          </h1>
          <p className={styles.lead}>
            {isAgain
              ? "Your sign-in has ended. The page stays as you left it, with what you have written."
              : "With the token of this instance's owner."}
          </p>
        </div>
        <form className={styles.form} onSubmit={submit}>
          <Field
            label="Owner token"
            hint={
              <>
                The instance's <code>OWNER_TOKEN</code>. Or run <code>npm start</code> once more where it runs: it
                prints an address that signs you in.
              </>
            }
          >
            <input
              type="password"
              name="token"
              autoComplete="current-password"
              required
              value={token}
              onChange={(event) => setToken(event.target.value)}
            />
          </Field>
          {error !== null && <ErrorNotice title="" error={error} />}
          <Button variant="primary" type="submit" isBusy={entering.isPending}>
            Sign in
          </Button>
        </form>
      </Card>
    </div>
  );
}
