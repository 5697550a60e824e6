import assert from "node:assert/strict";
import { test } from "node:test";

import { standing } from "../../src/versions";

const CASES = [
  ["0.1.0", "0.1.7", "compatible"],
  ["0.2.0", "0.1.9", "server-older"],
  ["0.1.0", "0.2.0", "server-newer"],
  ["0.9.0", "1.0.0", "server-newer"],
  ["1.4.0", "1.0.2", "compatible"],
  ["2.0.0", "1.9.0", "server-older"],
  ["0.1.0", "0.1.0.dev3+g1234", "compatible"],
  ["0.1.0", undefined, "unknown"],
  ["0.1.0", "main", "unknown"],
] as const;

for (const [client, server, expected] of CASES) {
  test(`client ${client} finds server ${server ?? "(silent)"} ${expected}`, () => {
    assert.equal(standing(client, server), expected);
  });
}
