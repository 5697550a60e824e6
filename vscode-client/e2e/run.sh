#!/usr/bin/env bash
# The end-to-end tests: packages the extension, installs the workbench if need be, and runs every *.test.js in it.
# Usage: e2e/run.sh [TEST_FILE...]   (names below e2e/, without folder or ending)
#        e2e/run.sh latency          measures keystroke to ghost text; writes benchmarks/results/vscode_latency.json
#        e2e/run.sh indexing         measures typing while 2,000 files are indexed; writes .../vscode_indexing.json
#        e2e/run.sh pictures         runs the tests and renews the pictures in docs/images
#        e2e/run.sh film             films the extension at work; writes docs/images/vscode.gif
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[ -d node_modules ] || npm ci --ignore-scripts --silent
bash e2e/install.sh >/dev/null
npm run --silent bundle
npm run --silent build-tests
# Without the wheel of 120 MB, which only the test of a first start needs and brings itself.
grep -v '^!server' .vscodeignore > dist/vscodeignore
npx vsce package --no-dependencies --skip-license --ignoreFile dist/vscodeignore --out dist/codet5p-e2e.vsix >dist/vsce.log 2>&1 || { cat dist/vsce.log; exit 1; }
case "${1:-}" in
  latency | indexing) exec node "dist/tests/e2e/$1.js" ;;
  film) node dist/tests/e2e/film.js; exec ../.venv/bin/python ../scripts/make_film.py ;;
esac

if [ "${1:-}" = pictures ]; then
  export PICTURES="$PWD/../docs/images"
  shift
fi
tests=(completion suggesting assistance client surroundings trust firstStart)
[ $# -eq 0 ] || tests=("$@")
case " ${tests[*]} " in *" firstStart "*) bash package.sh dist/codet5p-packaged.vsix >dist/package.log 2>&1 || { cat dist/package.log; exit 1; } ;; esac
tests=("${tests[@]/#/dist/tests/e2e/}")
# One workbench at a time: each takes about 1 GB and wants both cores.
exec node --test --test-concurrency=1 --test-reporter=spec "${tests[@]/%/.test.js}"
