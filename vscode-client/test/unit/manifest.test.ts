import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";

// The compiled test lies in dist/tests/test/unit.
const ROOT = path.resolve(__dirname, "../../../..");

interface Property {
  readonly default: unknown;
  readonly scope: string;
  readonly description?: string;
  readonly markdownDescription?: string;
}

interface Manifest {
  readonly version: string;
  readonly contributes: {
    readonly commands: readonly { readonly command: string }[];
    readonly keybindings: readonly { readonly command: string }[];
    readonly configuration: { readonly properties: Readonly<Record<string, Property>> };
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

/** The server's settings of one group with their defaults as Python writes them. */
function serverDefaults(group: string): ReadonlyMap<string, string> {
  const python = readFileSync(path.join(ROOT, "../lsp_server/settings.py"), "utf8");
  const body = new RegExp(`^class ${group}Settings:.*?(?=^class |^def )`, "ms").exec(python)?.[0] ?? "";
  const fields = [...body.matchAll(/^ {4}(\w+): [^=\n]+ = (.+)$/gm)];
  return new Map(fields.map(([, name = "", value = ""]) => [name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()), value]));
}

const GROUPS = { completion: "Completion", docstring: "Docstring", search: "Search" };
const PYTHON_VALUES: Readonly<Record<string, unknown>> = { True: true, False: false, "()": [] };

for (const [group, className] of Object.entries(GROUPS)) {
  test(`settings of ${group} that the server reads have the server's own defaults`, () => {
    const defaults = serverDefaults(className);
    assert.ok(defaults.size > 0);
    for (const [name, python] of defaults) {
      const property = manifest.contributes.configuration.properties[`codet5p.${group}.${name}`];
      if (property === undefined) continue; // what VS Code has of its own, such as a switch per language
      const value = python in PYTHON_VALUES ? PYTHON_VALUES[python] : (JSON.parse(python) as unknown);
      assert.deepEqual(property.default, value, name);
    }
  });
}

test("every setting of the server can be set in VS Code, but for languages, which VS Code switches itself", () => {
  for (const [group, className] of Object.entries(GROUPS)) {
    for (const name of serverDefaults(className).keys()) {
      const isThere = `codet5p.${group}.${name}` in manifest.contributes.configuration.properties;
      assert.equal(isThere, name !== "disabledLanguages", `codet5p.${group}.${name}`);
    }
  }
});

test("every setting has a description and a scope", () => {
  for (const [name, property] of Object.entries(manifest.contributes.configuration.properties)) {
    assert.match(property.markdownDescription ?? property.description ?? "", /\w.*\.$/, name);
    assert.match(property.scope, /^(machine|machine-overridable|window|language-overridable)$/, name);
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
