#!/usr/bin/env bash
# A private PostgreSQL server for the tests: `postgres.sh start` prints its URL, `postgres.sh stop` ends what start began.
# It runs as its own user from .cache/postgres, on loopback only. TEST_POSTGRES_URL, when set, is used instead.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

RUN_AS=postgres

# The first port from the given one on where nobody listens: another checkout may be testing at the same time.
free_port() {
  local port=$1
  while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
  echo "$port"
}

binaries() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1; }

# The server refuses to run as root; anyone else runs it as themselves.
as_owner() {
  if [ "$(id -u)" = 0 ]; then setpriv --reuid="$RUN_AS" --regid="$RUN_AS" --init-groups env HOME=/ "$@"; else "$@"; fi
}

# Its user must be able to reach the folder, which it cannot below a private home.
folder() {
  local inside=$CACHE/postgres
  mkdir -p "$inside"
  if as_owner test -x "$inside"; then echo "$inside"; else echo "/tmp/bytespike-tests-$(printf %s "$ROOT" | cksum | cut -d' ' -f1)"; fi
}

# A port where nobody listens may still be taken: by the near end of somebody's connection. Then it is the next one's turn.
listen() {
  local bin=$1 home=$2 port=${TEST_POSTGRES_PORT:-55433} tries
  for tries in 1 2 3 4 5; do
    port=$(free_port "$port")
    echo "$port" >"$CACHE/postgres-port"
    # `setsid` keeps an interrupt at the terminal from reaching it before the tests are done.
    as_owner setsid "$bin/pg_ctl" -D "$home/data" -l "$home/log" -o "-p $port" -w start </dev/null >/dev/null 2>&1 && return
    port=$((port + tries))
  done
  return 1
}

start() {
  [ -n "$(binaries)" ] || apt_install postgresql
  local bin home
  bin=$(binaries); home=$(folder)
  mkdir -p "$home"
  [ "$(id -u)" != 0 ] || chown "$RUN_AS" "$home"
  cd /
  if [ ! -f "$home/data/PG_VERSION" ]; then
    as_owner "$bin/initdb" -D "$home/data" -U bytespike --auth=trust -E UTF8 --locale=C.UTF-8 >"$CACHE/initdb.log" 2>&1 \
      || die "initdb failed: $(tail -3 "$CACHE/initdb.log")"
    printf '%s\n' "listen_addresses = '127.0.0.1'" "max_connections = 300" "unix_socket_directories = ''" \
      | as_owner tee -a "$home/data/postgresql.conf" >/dev/null
  fi
  if ! as_owner "$bin/pg_ctl" -D "$home/data" status >/dev/null 2>&1; then
    listen "$bin" "$home" || die "PostgreSQL did not start: $(as_owner tail -3 "$home/log")"
    touch "$CACHE/postgres-started"
  fi
  echo "postgres://bytespike@127.0.0.1:$(<"$CACHE/postgres-port")/postgres"
}

stop() {
  [ -f "$CACHE/postgres-started" ] || return 0
  rm -f "$CACHE/postgres-started"
  cd /
  as_owner "$(binaries)/pg_ctl" -D "$(folder)/data" -m fast -w stop >/dev/null
}

case ${1:-} in
  start) if [ -n "${TEST_POSTGRES_URL:-}" ]; then echo "$TEST_POSTGRES_URL"; else start; fi ;;
  stop) stop ;;
  *) die "usage: postgres.sh start|stop" ;;
esac
