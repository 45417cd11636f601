/** Looks a name from outside up in a table: what each object has of JavaScript, such as `constructor`, is no entry of it. */
export function ownValue<Value>(table: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
