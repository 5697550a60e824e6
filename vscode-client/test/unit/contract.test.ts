import assert from "node:assert/strict";
import { test } from "node:test";

import { NOTHING_OFFERED, readOffer } from "../../src/contract";

test("a full offer is read, with the version from the experimental capability", () => {
  const result = {
    capabilities: {
      inlineCompletionProvider: {},
      experimental: { codet5p: { docstring: true, search: true, similar: true, version: "0.1.0" } },
    },
    serverInfo: { name: "codet5p", version: "9.9.9" },
  };
  assert.deepEqual(readOffer(result), { completion: true, docstring: true, search: true, similar: true, version: "0.1.0" });
});

test("a server without the experimental capability offers completion alone, under the version of its serverInfo", () => {
  const result = { capabilities: { inlineCompletionProvider: true }, serverInfo: { name: "codet5p", version: "0.1.3" } };
  assert.deepEqual(readOffer(result), { completion: true, docstring: false, search: false, similar: false, version: "0.1.3" });
});

for (const nonsense of [undefined, null, 3, {}, { capabilities: null }, { capabilities: { experimental: { codet5p: { docstring: "yes" } } } }]) {
  test(`${JSON.stringify(nonsense)} as an initialize result offers nothing`, () => {
    assert.deepEqual(readOffer(nonsense), NOTHING_OFFERED);
  });
}
