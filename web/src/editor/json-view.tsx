/** The same definition as JSON, as the API takes it. */
import { Field } from "../ui/field.tsx";

interface JsonViewProps {
  text: string;
  fault: string | null;
  onChange: (text: string) => void;
}

export function JsonView({ text, fault, onChange }: JsonViewProps) {
  return (
    <Field
      label="Definition as JSON"
      hint="As the API takes it. What you change here is in the form, and the other way round."
      fault={fault ?? undefined}
    >
      <textarea
        data-grows=""
        data-mono
        spellCheck={false}
        value={text}
        onChange={({ target }) => onChange(target.value)}
      />
    </Field>
  );
}
