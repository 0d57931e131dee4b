# What the setup scripts share: where things are kept, and how to say that something is missing.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
CACHE=$ROOT/.cache
mkdir -p "$CACHE"

say() { printf '%s\n' "$*" >&2; }
die() { say "tests/run: $*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# apt_install PACKAGE… installs Debian packages, or says exactly what to install by hand.
apt_install() {
  local how="install these Debian packages (or their likes) and run again: $*"
  have apt-get || die "there is no apt-get here; $how"
  [ "$(id -u)" = 0 ] || die "not root, so nothing can be installed; $how"
  say "installing $*"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; } \
    >"$CACHE/apt.log" 2>&1 || die "apt-get failed (its words are in .cache/apt.log); $how"
}
