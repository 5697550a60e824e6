#!/usr/bin/env bash
# Fetches Neovim 0.12, Helix and Emacs 30 with lsp-mode: Debian packages of the release after the next, unpacked beside
# everything else in the git-ignored e2e/.cache/ and run with their own libraries, so that the system stays as it is.
# Safe to run again. Prints the folder with the programs nvim, hx and emacs.
set -euo pipefail
SUITE=forky
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
home="$here/../.cache/editors-$SUITE"
mkdir -p "$home"
home="$(cd "$home" && pwd)"
files="$home/files"
programs="$home/bin"

# A package list of its own: apt sees a machine on which nothing is installed, and so fetches every library too.
fetch() {
  rm -rf "$home/apt"
  mkdir -p "$home"/apt/{lists,archives}/partial
  local key=/usr/share/keyrings/debian-archive-keyring.gpg
  local mirror  # the one that this system uses
  mirror="$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | head -n 1)"
  [ -n "$mirror" ] || { echo "install.sh: this system has no list of Debian's packages; remedy: sudo apt-get update"; exit 1; }
  echo "deb [signed-by=$key] $mirror $SUITE main" > "$home/apt/sources.list"
  cat > "$home/apt/apt.conf" <<CONF
Dir::State::lists "$home/apt/lists";
Dir::State::status "/dev/null";
Dir::Cache "$home/apt";
Dir::Etc::sourcelist "$home/apt/sources.list";
Dir::Etc::sourceparts "-";
Acquire::Languages "none";
Acquire::Retries "3";
Debug::NoLocking "true";
CONF
  export APT_CONFIG="$home/apt/apt.conf"
  apt-get update -qq
  apt-get install -qq -y --no-install-recommends --download-only neovim hx emacs-nox elpa-lsp-mode elpa-spinner
}

# program NAME FILE ENVIRONMENT [ARGUMENTS]: FILE under its own loader; processes that it starts see the usual libraries.
program() {
  local loader="$files/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"
  printf '#!/bin/sh\nexport %s\nexec "%s" --library-path "%s" "%s" %s "$@"\n' \
    "$3" "$loader" "$files/usr/lib/x86_64-linux-gnu" "$files/$2" "${4:-}" > "$programs/$1"
  chmod +x "$programs/$1"
}

if [ ! -e "$home/.installed" ]; then
  fetch >&2
  rm -rf "$files" "$programs"
  mkdir -p "$files" "$programs"
  for package in "$home"/apt/archives/*.deb; do dpkg-deb --extract "$package" "$files"; done
  rm -rf "$home/apt"
  program nvim usr/bin/nvim "VIMRUNTIME='$files/usr/share/nvim/runtime'"
  program hx usr/lib/hx/hx "HELIX_RUNTIME='$files/usr/lib/hx/runtime'"
  share=("$files"/usr/share/emacs/[0-9]*)
  image=("$files"/usr/libexec/emacs/*/*/emacs-*.pdmp)
  data="EMACSPATH='$(dirname "$image")' EMACSDATA='$share/etc' EMACSDOC='$share/etc' EMACSLOADPATH='$share/lisp'"
  # Where Debian's packages lie; and the native compiler is off, since it would start this Emacs without its libraries.
  setup="(setq package-directory-list (list \"$files/usr/share/emacs/site-lisp/elpa-src\")
    native-comp-enable-subr-trampolines nil native-comp-jit-compilation nil)"
  program emacs usr/bin/emacs-nox "$data" "--dump-file='$image' --eval '$setup'"
  touch "$home/.installed"
fi
echo "$programs"
