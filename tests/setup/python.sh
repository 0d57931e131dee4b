#!/usr/bin/env bash
# The pinned Python packages of tests/python in an environment of their own; prints the path of its Python.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

venv=$CACHE/python
stamp=$venv/installed
locked=$ROOT/tests/python/requirements.txt
if ! cmp -s "$locked" "$stamp"; then
  have python3 || apt_install python3 python3-venv
  rm -rf "$venv"
  python3 -m venv "$venv" >"$CACHE/pip.log" 2>&1 || { apt_install python3-venv; python3 -m venv "$venv"; }
  "$venv/bin/python" -m pip install --quiet --require-hashes -r "$locked" >"$CACHE/pip.log" 2>&1 \
    || die "pip failed: $(tail -5 "$CACHE/pip.log")"
  cp "$locked" "$stamp"
fi
echo "$venv/bin/python"
