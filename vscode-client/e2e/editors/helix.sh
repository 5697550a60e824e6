#!/usr/bin/env bash
# Types in Helix at the end of the file, takes the first item of its completion list and saves.
# Usage: HX=hx helix.sh LANGUAGES_TOML FILE
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/terminal.sh"
config="$(mktemp -d)"
mkdir "$config/helix"
cp "$1" "$config/helix/languages.toml"
last="$(tail -n 1 "$2")"

open_terminal env XDG_CONFIG_HOME="$config" "$HX" -v --log "$config/log" "$2"
wait_for_file "$config/log" 'codet5p/loading.*"kind": "end"'
press g e A
wait_for_screen INS
press C-x
wait_for_screen "${last##* }.* text *$"  # the list says "text" of what a server suggests, and "word" of Helix's own
press Tab Enter Escape
wait_for_screen NOR
press : w q Enter
wait_for_end
rm -rf "$config"
