// An extension that is a test fake: files that exist nowhere on the disk, as those of a repository that is browsed from
// afar. They lie under `vscode-vfs://test/`, the scheme of the editor's own such extension.

import * as vscode from "vscode";

const FILE = "/main.py";
const TEXT = "def area(width, height):\n";

class VirtualFolder implements vscode.FileSystemProvider {
  private text: Uint8Array = new TextEncoder().encode(TEXT);
  private readonly changed = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  readonly onDidChangeFile = this.changed.event;

  watch(): vscode.Disposable {
    return new vscode.Disposable(() => undefined);
  }

  stat(uri: vscode.Uri): vscode.FileStat {
    if (uri.path === "/") return { type: vscode.FileType.Directory, ctime: 0, mtime: 0, size: 0 };
    this.mustBeThere(uri);
    return { type: vscode.FileType.File, ctime: 0, mtime: 0, size: this.text.length };
  }

  readDirectory(): [string, vscode.FileType][] {
    return [[FILE.slice(1), vscode.FileType.File]];
  }

  readFile(uri: vscode.Uri): Uint8Array {
    this.mustBeThere(uri);
    return this.text;
  }

  writeFile(uri: vscode.Uri, content: Uint8Array): void {
    this.mustBeThere(uri);
    this.text = content;
  }

  createDirectory(uri: vscode.Uri): void {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  delete(uri: vscode.Uri): void {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  rename(uri: vscode.Uri): void {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  private mustBeThere(uri: vscode.Uri): void {
    if (uri.path !== FILE) throw vscode.FileSystemError.FileNotFound(uri);
  }
}

export function activate(context: vscode.ExtensionContext): void {
  context.subscriptions.push(vscode.workspace.registerFileSystemProvider("vscode-vfs", new VirtualFolder()));
}
