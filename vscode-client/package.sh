#!/usr/bin/env bash
# Packages the extension together with the server's wheel, weights included: one file to install, and no second
# download of 130 MB. Only the libraries that the server uses come from a package index, at the first start.
# Usage: package.sh [OUTPUT.vsix]   Python to build with: $PYTHON, by default the repository's .venv.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
PYTHON="${PYTHON:-../.venv/bin/python}"
version="$(node -p 'require("./package.json").version')"
output="${1:-../dist/codet5p-$version.vsix}"
wheel="server/codet5p-$version-py3-none-any.whl"

[ -d node_modules ] || npm ci --ignore-scripts --silent
rm -rf server
"$PYTHON" -m build --wheel --outdir server .. >/dev/null
[ -f "$wheel" ] || { echo "package.sh: expected $wheel, built $(ls server)"; exit 1; }
"$PYTHON" -m zipfile -l "$wheel" | grep 'codet5p/artifacts/.*\.safetensors' >/dev/null || { echo "package.sh: the wheel carries no weights; remedy: make the artifact first"; exit 1; }
npm run --silent check
npm run --silent bundle
cp ../LICENSE LICENSE
trap 'rm -f LICENSE' EXIT
mkdir -p "$(dirname "$output")"
npx vsce package --no-dependencies --out "$output"
