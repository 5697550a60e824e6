#!/usr/bin/env bash
# Runs the configurations of docs/editors as they stand there, with the real server and model, in real editors: those of
# Debian 12 (Neovim 0.7, Emacs 28), and those that install.sh fetches (Neovim 0.12, Helix, Emacs 30 with lsp-mode).
# Needs the repository's .venv. Another Neovim beside them: NVIM=/path/to/nvim.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../../.." && pwd)"
export PATH="$root/.venv/bin:$PATH"

needed=(neovim emacs-nox elpa-eglot tmux)
if ! dpkg --status "${needed[@]}" >/dev/null 2>&1; then
  [ "$(id -u)" = 0 ] || { echo "missing; remedy: sudo apt-get install ${needed[*]}"; exit 1; }
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq -o Acquire::Retries=3
  apt-get install -y -qq -o Acquire::Retries=3 --no-install-recommends "${needed[@]}" >/dev/null
fi
command -v codet5p >/dev/null || { echo "missing: codet5p; remedy: make setup"; exit 1; }
newer="$(bash "$here/install.sh")"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# block FILE LANGUAGE FIRST_LINE: the fenced block of that language which begins with that line.
block() {
  awk -v fence="\`\`\`$2" -v first="$3" '
    $0 == fence { inside = 1; text = ""; next }
    inside && /^```/ { inside = 0; if (index(text, first "\n") == 1) { printf "%s", text; found = 1; exit } }
    inside { text = text $0 "\n" }
    END { exit !found }' "$root/docs/editors/$1" || { echo "docs/editors/$1 has no block that begins with: $3" >&2; exit 1; }
}

start='def total_price(items):
    """Return the price of all items together."""
    total = 0
    for item in items:
        total += item["price"]
    ret'
file="$work/prices.py"
begin() { printf '%s\n' "$start" > "$file"; }
expect_completed() {  # EDITOR
  # On a busy machine the time limit may cut the suggestion short, at the least after its first word.
  case "$(cat "$file")" in
    "${start}urn total" | "${start}urn") echo "ok: $1: $(tail -n 1 "$file")" ;;
    *) echo "FAILED $1: the file ends in: $(tail -n 1 "$file")"; exit 1 ;;
  esac
}

neovim() {  # PROGRAM MANNER FIRST_LINE_OF_CONFIGURATION
  block neovim.md lua "$3" > "$work/init.lua"
  begin
  NVIM="$1" bash "$here/neovim.sh" "$2" "$work/init.lua" "$file"
  expect_completed "$("$1" --version | head -n 1), $2"
}

eglot() {  # EMACS
  block emacs.md elisp "(require 'eglot)" > "$work/init.el"
  begin
  "$1" --batch --load "$work/init.el" --load "$here/emacs.el" "$file" --funcall codet5p-check 2> "$work/emacs.log" ||
    { cat "$work/emacs.log"; exit 1; }
  expect_completed "$("$1" --version | head -n 1), eglot"
}

neovim nvim list "-- init.lua, 0.7"
neovim "$newer/nvim" list "-- init.lua, 0.11"
neovim "$newer/nvim" ghost "-- init.lua, 0.12"
if [ -n "${NVIM:-}" ]; then neovim "$NVIM" list "-- init.lua, 0.11"; fi

eglot emacs
eglot "$newer/emacs"
block emacs.md elisp "(require 'lsp-mode)" > "$work/init.el"
begin
EMACS="$newer/emacs" bash "$here/lsp-mode.sh" "$work/init.el" "$file"
expect_completed "$("$newer/emacs" --version | head -n 1), lsp-mode, ghost"

block helix.md toml "# ~/.config/helix/languages.toml" > "$work/languages.toml"
begin
HX="$newer/hx" bash "$here/helix.sh" "$work/languages.toml" "$file"
expect_completed "$("$newer/hx" --version)"
