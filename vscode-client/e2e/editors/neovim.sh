#!/usr/bin/env bash
# Types in a headless Neovim: asks for completion at the end of the file, keeps the item that comes up and saves.
# Usage: NVIM=nvim neovim.sh INIT_LUA FILE
set -euo pipefail
socket="$(mktemp -u)"
"$NVIM" --headless --clean -u "$1" --listen "$socket" "$2" >/dev/null 2>&1 &
editor=$!
trap 'kill $editor 2>/dev/null || true' EXIT

ask() { "$NVIM" --server "$socket" --remote-expr "$1" 2>&1 || true; }  # it answers on stderr
send() { "$NVIM" --server "$socket" --remote-send "$1"; }
wait_for() {  # EXPRESSION VALUE
  for _ in $(seq 300); do [ "$(ask "$1")" = "$2" ] && return; sleep 0.2; done
  echo "neovim.sh: waited in vain for $1 to be $2"; exit 1
}

clients='(vim.lsp.get_clients and vim.lsp.get_clients({ bufnr = 0 }) or vim.tbl_values(vim.lsp.buf_get_clients(0)))'
wait_for "luaeval('(function(c) return c and c.initialized and 1 or 0 end)($clients[1])')" 1
send 'GA<C-x><C-o>'
wait_for 'len(complete_info(["items"]).items)' 1
send '<Esc>:w<CR>'
wait_for '&modified' 0
send ':qa!<CR>'
