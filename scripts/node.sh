#!/bin/sh
# Runs Node for `npm start` and `npm run cli`: the machine's own Node if suitable, otherwise the one that npm installed.
# Suitable: 24.15 or later, which prints no warning about TypeScript or SQLite, and later LTS releases, which
# oidc-provider requires. exec.cmd has the same rule for Windows.
set -f
IFS=:
for folder in $PATH; do
  case $folder in '' | */node_modules/.bin) continue ;; esac
  own=$folder/node
  [ -f "$own" ] && [ -x "$own" ] || continue
  case $("$own" -v 2>/dev/null) in
    v24.?.* | v24.1[0-4].*) ;;
    v24.*) exec "$own" "$@" ;;
    v2[5-9].* | v[3-9]?.*) [ -z "$("$own" -p 'process.release.lts ?? ""')" ] || exec "$own" "$@" ;;
  esac
  break
done
exec node "$@"
