/** Copies a text, and says that it did. */
import { useEffect, useState } from "react";
import { Button } from "./button.tsx";
import { CheckIcon, CopyIcon } from "./icons.tsx";

const SAID_FOR_MS = 1_600;

interface CopyButtonProps {
  /** A function where making it takes work. */
  text: string | (() => string);
  /** What is copied: "Copy prompt". */
  label: string;
}

export function CopyButton({ text, label }: CopyButtonProps) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), SAID_FOR_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);
  return (
    <>
      <Button
        variant="ghost"
        size="sm"
        aria-label={label}
        title={label}
        icon={isCopied ? <CheckIcon /> : <CopyIcon />}
        onClick={() => copy(typeof text === "string" ? text : text()).then(setCopied)}
      />
      <span className="visually-hidden" role="status">
        {isCopied ? "Copied" : ""}
      </span>
    </>
  );
}

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Not allowed here: the text can still be selected.
    return false;
  }
}
