#!/usr/bin/env bash
# Chromium and the fonts that the pages are looked at with.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

missing=()
[ -x "${CHROMIUM:-/usr/bin/chromium}" ] || missing+=(chromium)
have fc-list && fc-list :lang=zh family | grep -q . || missing+=(fontconfig fonts-noto-cjk)
[ ${#missing[@]} = 0 ] || apt_install "${missing[@]}"
