#!/bin/sh
# Makes the secrets that compose.yaml mounts, each one that is missing. What is there stays as it is.
#
#   deploy/make-secrets.sh [FOLDER]      without a FOLDER: deploy/secrets
#
# The certificate it makes is for trying: signed by itself, for the host of ISSUER (in deploy/.env or the environment) and
# localhost. Put your own in its place: tls_certificate.pem (the whole chain) and tls_key.pem.
set -eu

here="$(cd "$(dirname "$0")" && pwd)"
folder="${1:-$here/secrets}"
command -v openssl >/dev/null || { echo "make-secrets: openssl is needed" >&2; exit 1; }

# The folder is its owner's alone. The files are not: Compose mounts each with the mode it has, for users of other numbers.
mkdir -p "$folder"
chmod 700 "$folder"
umask 022

keep() {
  [ -s "$folder/$1" ] || { printf '%s\n' "$2" >"$folder/$1.new"; chmod 444 "$folder/$1.new"; mv "$folder/$1.new" "$folder/$1"; echo "made $folder/$1"; }
}

keep secret_key "$(openssl rand -base64 48 | tr -d '\n')"
keep admin_key "admin_$(openssl rand -hex 24)"
keep postgres_password "$(openssl rand -hex 24)"
keep database_url "postgres://gatehouse:$(cat "$folder/postgres_password")@postgres:5432/gatehouse"

if [ ! -s "$folder/tls_certificate.pem" ] && [ ! -s "$folder/tls_key.pem" ]; then
  issuer="${ISSUER:-$(sed -n 's/^ISSUER=//p' "$here/.env" 2>/dev/null | tail -1)}"
  host="$(printf '%s' "${issuer:-https://localhost}" | sed -E 's|^[a-z]+://||; s|[:/].*$||')"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 -subj "/CN=$host" \
    -addext "subjectAltName=DNS:$host,DNS:localhost" \
    -keyout "$folder/tls_key.pem" -out "$folder/tls_certificate.pem" 2>/dev/null
  chmod 444 "$folder/tls_key.pem" "$folder/tls_certificate.pem"
  echo "made a certificate for $host to try it with: browsers will warn, so put your own in its place"
fi
