#!/bin/sh
# Creates each missing secret that compose.yaml mounts. Existing files stay unchanged.
#
#   deploy/make-secrets.sh [FOLDER]      default FOLDER: deploy/secrets
#
# The certificate is for trying only: self-signed, for the host of ISSUER (from deploy/.env or the environment) and
# localhost. Replace it with your own: tls_certificate.pem (the whole chain) and tls_key.pem.
set -eu

here="$(cd "$(dirname "$0")" && pwd)"
folder="${1:-$here/secrets}"
command -v openssl >/dev/null || { echo "make-secrets: openssl is needed" >&2; exit 1; }

# Only the owner can open the folder. Files are readable, because Compose mounts them for users with other ids.
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
  echo "made a self-signed certificate for $host: browsers will warn about it, so replace it with your own"
fi
