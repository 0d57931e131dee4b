#!/usr/bin/env bash
# The pinned Node and the pinned packages of tests/node; prints the path of that Node.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

cd "$ROOT/tests/node"
stamp=$CACHE/node-installed
if ! cmp -s package-lock.json "$stamp"; then
  have npm || apt_install nodejs npm
  npm ci --silent >"$CACHE/npm.log" 2>&1 || die "npm ci failed: $(tail -5 "$CACHE/npm.log")"
  cp package-lock.json "$stamp"
fi
for node in "$PWD"/node_modules/node-linux-*/bin/node; do
  [ -x "$node" ] || die "no Node is packaged for $(uname -sm); add one to tests/node/package.json"
  echo "$node"
done
