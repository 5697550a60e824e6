#!/usr/bin/env bash
# Runs the Neovim and Emacs configurations of docs/editors as they stand there, with the real server and model.
# Needs Debian's neovim, emacs-nox and elpa-eglot, and the repository's .venv. Another Neovim: NVIM=/path/to/nvim.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../../.." && pwd)"
export PATH="$root/.venv/bin:$PATH"
export NVIM="${NVIM:-nvim}"
for program in "$NVIM" emacs codet5p; do
  command -v "$program" >/dev/null || { echo "missing: $program; remedy: apt-get install neovim emacs-nox elpa-eglot, make setup"; exit 1; }
done
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# block FILE LANGUAGE [FIRST_LINE]: the first fenced block of that language, or the one that begins with that line.
block() {
  awk -v fence="\`\`\`$2" -v first="${3:-}" '
    $0 == fence { inside = 1; text = ""; next }
    inside && /^```/ { inside = 0; if (first == "" || index(text, first "\n") == 1) { printf "%s", text; exit } }
    inside { text = text $0 "\n" }' "$root/docs/editors/$1"
}

start='def total_price(items):
    """Return the price of all items together."""
    total = 0
    for item in items:
        total += item["price"]
    ret'
expect_completed() {  # FILE EDITOR
  # On a busy machine the time limit may cut the suggestion short, at the least after its first word.
  case "$(cat "$1")" in
    "${start}urn total" | "${start}urn") echo "ok: $2: $(tail -n 1 "$1")" ;;
    *) echo "FAILED $2: the file ends in: $(tail -n 1 "$1")"; exit 1 ;;
  esac
}

if "$NVIM" --clean --headless -c 'lua os.exit(vim.lsp.config and 0 or 1)'; then era=0.11; else era=0.7; fi
block neovim.md lua "-- init.lua, $era" > "$work/init.lua"
[ -s "$work/init.lua" ] || { echo "no configuration for Neovim $era in docs/editors/neovim.md"; exit 1; }
printf '%s\n' "$start" > "$work/nvim.py"
bash "$here/neovim.sh" "$work/init.lua" "$work/nvim.py"
expect_completed "$work/nvim.py" "$("$NVIM" --version | head -n 1)"

block emacs.md elisp > "$work/init.el"
printf '%s\n' "$start" > "$work/emacs.py"
emacs --batch --load "$work/init.el" --load "$here/emacs.el" "$work/emacs.py" --funcall codet5p-check 2> "$work/emacs.log" ||
  { cat "$work/emacs.log"; exit 1; }
expect_completed "$work/emacs.py" "$(emacs --version | head -n 1), eglot"
