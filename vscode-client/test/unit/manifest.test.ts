import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";

// The compiled test lies in dist/tests/test/unit.
const ROOT = path.resolve(__dirname, "../../../..");

interface Manifest {
  readonly version: string;
  readonly contributes: {
    readonly commands: readonly { readonly command: string }[];
    readonly keybindings: readonly { readonly command: string }[];
    readonly configuration: { readonly properties: Readonly<Record<string, { default: unknown; scope: string }>> };
    readonly walkthroughs: readonly { readonly steps: readonly { readonly media: { readonly markdown: string } }[] }[];
  };
}

const manifest = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as Manifest;
const sources = readdirSync(path.join(ROOT, "src")).map((file) => readFileSync(path.join(ROOT, "src", file), "utf8")).join("\n");
const contributed = manifest.contributes.commands.map(({ command }) => command);

test("every contributed command has an implementation", () => {
  const missing = contributed.filter((command) => {
    const name = command.replace("codet5p.", "");
    return !sources.includes(`"${command}"`) && !new RegExp(`^ {4}${name}[:,]`, "m").test(sources);
  });
  assert.deepEqual(missing, []);
});

test("every key is bound to a contributed command", () => {
  for (const { command } of manifest.contributes.keybindings) assert.ok(contributed.includes(command), command);
});

test("settings that the server reads have the server's own defaults", () => {
  const python = readFileSync(path.join(ROOT, "../lsp_server/settings.py"), "utf8");
  for (const name of ["delayMilliseconds", "maxNewTokens", "timeLimitMilliseconds"]) {
    const field = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const found = new RegExp(`^ {4}${field}: int = (\\d+)$`, "m").exec(python);
    assert.equal(manifest.contributes.configuration.properties[`codet5p.completion.${name}`]?.default, Number(found?.[1]), name);
  }
});

test("client and server carry the same version", () => {
  const pyproject = readFileSync(path.join(ROOT, "../pyproject.toml"), "utf8");
  assert.equal(manifest.version, /^version = "(.*)"$/m.exec(pyproject)?.[1]);
});

test("the program to run cannot be set by a folder that is not trusted", () => {
  const text = readFileSync(path.join(ROOT, "package.json"), "utf8");
  assert.match(text, /"restrictedConfigurations": \[\s*"codet5p\.server\.path"\s*\]/);
});

test("every walkthrough step has its page", () => {
  for (const { media } of manifest.contributes.walkthroughs.flatMap(({ steps }) => steps)) {
    assert.notEqual(readFileSync(path.join(ROOT, media.markdown), "utf8").trim(), "", media.markdown);
  }
});

test("the lock file names no registry", () => {
  assert.doesNotMatch(readFileSync(path.join(ROOT, "package-lock.json"), "utf8"), /"resolved"/);
});
