#!/usr/bin/env bash
# Installs the workbench that the end-to-end tests drive: code-server (VS Code 1.100.3 in a browser) for Node 20, and
# Debian's Chromium. Safe to run again: what is already there is kept. Everything goes to the git-ignored e2e/.cache/.
set -euo pipefail
CODE_SERVER_VERSION=4.100.3
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
workbench="$here/.cache/code-server-$CODE_SERVER_VERSION"
stamp="$workbench/.installed"

fail() { echo "e2e/install.sh: $1" >&2; exit 1; }

node_major="$(node -p 'process.versions.node.split(".")[0]')"
[ "$node_major" = 20 ] || fail "code-server $CODE_SERVER_VERSION runs on Node 20, found $node_major; put Node 20 first on PATH"

missing=()
command -v chromium >/dev/null || missing+=(chromium)
command -v g++ >/dev/null || missing+=(g++)
command -v python3 >/dev/null || missing+=(python3)
if [ ${#missing[@]} -gt 0 ]; then
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || fail "missing: ${missing[*]}; remedy: sudo apt-get install ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq -o Acquire::Retries=3
  apt-get install -y -qq -o Acquire::Retries=3 --no-install-recommends "${missing[@]}" >/dev/null
fi

if [ ! -e "$stamp" ]; then
  rm -rf "$workbench"
  mkdir -p "$workbench"
  cd "$workbench"
  echo '{"private":true}' > package.json
  # Install scripts are off: as root they refuse to run, and one of them downloads ripgrep from a git host.
  npm install --ignore-scripts --no-save --silent "code-server@$CODE_SERVER_VERSION"
  cd node_modules/code-server/lib/vscode
  npm install --omit=dev --ignore-scripts --silent  # `npm ci` fails: the published shrinkwrap is out of step
  ln -sfn node_modules node_modules.asar
  ( cd extensions && npm install --omit=dev --ignore-scripts --silent )
  cd "$workbench"
  # argon2 and spdlog are the two native modules that are needed: the password library loads at start, and without
  # spdlog there are no log files to look at after a failure.
  node_home="$(dirname "$(dirname "$(node -p process.execPath)")")"
  npm_config_build_from_source=true npm_config_nodedir="$node_home" npm rebuild --silent argon2
  ( cd node_modules/code-server/lib/vscode
    npm_config_build_from_source=true npm_config_nodedir="$node_home" npm rebuild --silent @vscode/spdlog )
  touch "$stamp"
fi
echo "$workbench"
