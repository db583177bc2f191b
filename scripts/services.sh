#!/usr/bin/env bash
# A private Postgres and Redis for tests, in a folder of their own, on free ports of this machine only.
#
#   eval "$(scripts/services.sh start)"   start both, set TEST_DATABASE_URL, TEST_REDIS_URL, TEST_CHROMIUM
#   scripts/services.sh env               print the same variables again
#   scripts/services.sh stop              stop both and remove their folder
#
# "start" and "stop", followed by "postgres" or "redis", act on one and keep its port (and Postgres its data).
# SERVICES_DIR chooses the folder, so that several sets can run side by side.
set -euo pipefail

dir="${SERVICES_DIR:-${TMPDIR:-/tmp}/gatehouse-services-$(id -u)}"
which="${2:-all}"
bin="$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1 || true)"
[ -n "$bin" ] || bin="$(dirname "$(command -v pg_ctl || echo /usr/bin/pg_ctl)")"

say() { echo "services: $*" >&2; }

# Postgres refuses to run as root.
as_postgres() {
  if [ "$(id -u)" = 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi
}

free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 12000))
    (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

postgres_runs() { [ -s "$dir/postgres/data/postmaster.pid" ] && as_postgres "$bin/pg_ctl" -D "$dir/postgres/data" status >/dev/null 2>&1; }
redis_runs() { [ -s "$dir/redis/pid" ] && kill -0 "$(cat "$dir/redis/pid")" 2>/dev/null; }

start_postgres() {
  [ -x "$bin/initdb" ] || { say "Postgres is not installed; on Debian: apt-get install postgresql"; return; }
  postgres_runs && return
  if [ ! -d "$dir/postgres/data" ]; then
    mkdir -p "$dir/postgres"
    free_port >"$dir/postgres.port"
    (umask 077 && od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$dir/postgres.password")
    install -m 600 "$dir/postgres.password" "$dir/postgres/password"
    [ "$(id -u)" != 0 ] || chown -R postgres "$dir/postgres"
    chmod 700 "$dir/postgres"
    as_postgres "$bin/initdb" -D "$dir/postgres/data" -U gatehouse --pwfile="$dir/postgres/password" \
      --auth-local=trust --auth-host=scram-sha-256 -E UTF8 --locale=C >"$dir/initdb.log" 2>&1 ||
      { cat "$dir/initdb.log" >&2; exit 1; }
  fi
  as_postgres "$bin/pg_ctl" -D "$dir/postgres/data" -l "$dir/postgres/log" -w -t 60 \
    -o "-c listen_addresses=127.0.0.1 -p $(cat "$dir/postgres.port") -k $dir/postgres -c max_connections=300 -c fsync=on" \
    start >/dev/null || { as_postgres cat "$dir/postgres/log" >&2; exit 1; }
}

start_redis() {
  command -v redis-server >/dev/null || { say "Redis is not installed; on Debian: apt-get install redis-server"; return; }
  redis_runs && return
  mkdir -p "$dir/redis"
  [ -s "$dir/redis.port" ] || free_port >"$dir/redis.port"
  redis-server --port "$(cat "$dir/redis.port")" --bind 127.0.0.1 --dir "$dir/redis" --pidfile "$dir/redis/pid" \
    --logfile "$dir/redis/log" --save '' --appendonly no --daemonize yes >/dev/null
  for _ in $(seq 100); do
    redis-cli -p "$(cat "$dir/redis.port")" ping >/dev/null 2>&1 && return
    sleep 0.05
  done
  cat "$dir/redis/log" >&2
  exit 1
}

stop_postgres() {
  ! postgres_runs || as_postgres "$bin/pg_ctl" -D "$dir/postgres/data" -m fast -w stop >/dev/null
}

stop_redis() {
  redis_runs || return 0
  local pid
  pid="$(cat "$dir/redis/pid")"
  kill "$pid" && while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
}

print_env() {
  [ ! -s "$dir/postgres.password" ] ||
    echo "export TEST_DATABASE_URL=postgres://gatehouse:$(cat "$dir/postgres.password")@127.0.0.1:$(cat "$dir/postgres.port")/postgres"
  [ ! -s "$dir/redis.port" ] || echo "export TEST_REDIS_URL=redis://127.0.0.1:$(cat "$dir/redis.port")"
  local chromium
  chromium="$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)"
  [ -z "$chromium" ] || echo "export TEST_CHROMIUM=$chromium"
}

case "${1:-}" in
  start)
    mkdir -p "$dir" && chmod 711 "$dir"
    [ "$which" = redis ] || start_postgres
    [ "$which" = postgres ] || start_redis
    print_env
    ;;
  env) print_env ;;
  stop)
    [ "$which" = redis ] || stop_postgres
    [ "$which" = postgres ] || stop_redis
    [ "$which" != all ] || [ ! -d "$dir" ] || rm -rf "$dir"
    ;;
  *)
    sed -n '2,9s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
