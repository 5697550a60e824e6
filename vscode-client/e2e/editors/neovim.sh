#!/usr/bin/env bash
# Types in a headless Neovim at the end of the file, takes what is suggested and saves.
# Usage: NVIM=nvim neovim.sh list|ghost INIT_LUA FILE
#   list   asks for completion with its keys and keeps the item that comes up
#   ghost  types a letter, waits for ghost text and takes it with Tab
set -euo pipefail
socket="$(mktemp -u)"
"$NVIM" --headless --clean -u "$2" --listen "$socket" "$3" >/dev/null 2>&1 &
editor=$!
trap 'kill $editor 2>/dev/null || true' EXIT

ask() { "$NVIM" --server "$socket" --remote-expr "$1" 2>&1 || true; }  # Neovim 0.7 answers on stderr
send() { "$NVIM" --server "$socket" --remote-send "$1"; }
wait_for() {  # EXPRESSION VALUE
  for _ in $(seq 300); do [ "$(ask "$1")" = "$2" ] && return; sleep 0.2; done
  echo "neovim.sh: waited in vain for $1 to be $2, which is $(ask "$1")"; exit 1
}

clients='(vim.lsp.get_clients and vim.lsp.get_clients({ bufnr = 0 }) or vim.tbl_values(vim.lsp.buf_get_clients(0)))'
wait_for "luaeval('(function(c) return c and c.initialized and 1 or 0 end)($clients[1])')" 1
case "$1" in
  list)
    send 'GA<C-x><C-o>'
    wait_for 'len(complete_info(["items"]).items)' 1
    ;;
  ghost)
    last="$(ask 'getline("$")')"
    send 'GA<BS>'
    send "${last: -1}"
    # What stands on the screen beside the text: the marks of Neovim's own namespace.
    marks='vim.api.nvim_buf_get_extmarks(0, vim.api.nvim_create_namespace("nvim.lsp.inline_completion"), 0, -1, { details = true })'
    shown="luaeval('(function(m) return m and m[4].virt_text and (m[4].virt_text[1][1] ~= \"\") and 1 or 0 end)($marks[1])')"
    wait_for "$shown" 1
    before="$(ask 'getline("$")')"
    [ "$before" = "$last" ] || { echo "neovim.sh: the line is already $before"; exit 1; }
    send '<Tab>'
    wait_for "getline('\$') ==# '$last'" 0
    ;;
esac
send '<Esc>:w<CR>'
wait_for '&modified' 0
send ':qa!<CR>'
