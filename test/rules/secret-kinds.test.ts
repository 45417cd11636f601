/** No secret is missing in the table by which tests look for them. */
import { expect, it } from "vitest";
import { SECRET_VARIABLES } from "#instance/config.ts";
import { VARIABLE_CANARIES } from "#test/support/secret-kinds.ts";

it("every secret variable of an instance is looked for", () => {
  expect(Object.keys(VARIABLE_CANARIES).toSorted()).toEqual(SECRET_VARIABLES.toSorted());
});
