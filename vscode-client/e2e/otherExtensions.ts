// Extensions that stand beside the product in some tests, packed from the fakes in test/fakes.

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { CLIENT_ROOT } from "./workbench";

export const SELECT_NEXT_INTERPRETER = "Fake Python: Select the Next Interpreter";
const FAKES = path.join(CLIENT_ROOT, "dist/tests/test/fakes");

/** Files that exist nowhere on the disk, under `vscode-vfs://test/`. */
export const packVirtualFolder = (): string =>
  pack("virtualFolder.js", { publisher: "test", name: "virtual-folder", activationEvents: ["onFileSystem:vscode-vfs"] });

/** In the place of the Python extension; its interpreters are those of the setting `fakePython.interpreters`. */
export const packPythonExtension = (): string =>
  pack("pythonExtension.js", {
    publisher: "ms-python",
    name: "python",
    activationEvents: [],
    contributes: {
      configuration: { properties: { "fakePython.interpreters": { type: "array", default: [] } } },
      commands: [{ command: "fakePython.selectNext", title: SELECT_NEXT_INTERPRETER }],
    },
  });

/** Packs one compiled fake and returns the .vsix file; its folder is temporary. */
function pack(main: string, manifest: Readonly<Record<string, unknown>>): string {
  const folder = mkdtempSync(path.join(tmpdir(), "codet5p-extension-"));
  copyFileSync(path.join(FAKES, main), path.join(folder, main));
  const full = { version: "0.0.1", engines: { vscode: "^1.91.0" }, main: `./${main}`, extensionKind: ["workspace"], ...manifest };
  writeFileSync(path.join(folder, "package.json"), JSON.stringify(full));
  const file = path.join(folder, "extension.vsix");
  const vsce = path.join(CLIENT_ROOT, "node_modules/.bin/vsce");
  const flags = ["package", "--no-dependencies", "--skip-license", "--allow-missing-repository", "--out", file];
  execFileSync(vsce, flags, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  return file;
}
