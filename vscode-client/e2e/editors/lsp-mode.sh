#!/usr/bin/env bash
# Types in Emacs with lsp-mode at the end of the file, waits for ghost text, takes it with TAB and saves.
# Usage: EMACS=emacs lsp-mode.sh INIT_EL FILE
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/terminal.sh"
home="$(mktemp -d)"
last="$(tail -n 1 "$2")"

open_terminal env HOME="$home" "$EMACS" -nw --quick --eval '(package-activate-all)' --load "$1" "$2"
wait_for_screen 'Import project root'
press i
wait_for_screen 'LSP[^ ]*\[codet5p'
press M-\> C-b BSpace "${last: -1}"
wait_for_screen 'Completion 1/1.*Accept'
wait_for_screen " ${last##* }[^ ]"
[ "$(tail -n 1 "$2")" = "$last" ] || { echo "lsp-mode.sh: the file was changed already"; exit 1; }
press Tab C-x C-s
wait_for_screen "Wrote .*$(basename "$2")"
press C-x C-c
wait_for_end
rm -rf "$home"
