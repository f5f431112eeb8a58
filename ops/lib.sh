# What the scripts of this folder share. To be sourced.
# shellcheck shell=bash disable=SC2034

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root
readonly build_packages=(librabbitmq-dev libsqlite3-dev pkg-config tzdata)
readonly broker_packages=(rabbitmq-server jq)

say() {
  printf '==> %s\n' "$*"
}

fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# Runs a command as root: as is, or with sudo.
as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "packages are missing and there is no sudo; as root run: ${*#env DEBIAN_FRONTEND=noninteractive }"
  fi
}

installed() {
  [[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" == installed ]]
}

# Installs those of the named Debian packages that are missing.
install_packages() {
  command -v apt-get >/dev/null || fail "this is not Debian or Ubuntu; install what matches these packages: $*"
  local package missing=()
  for package in "$@"; do
    installed "$package" || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  say "Installing ${missing[*]}"
  as_root apt-get update -q
  if [[ " ${missing[*]} " == *' rabbitmq-server '* ]]; then keep_system_broker_off; fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
}

# Debian starts a broker for the whole machine with the package, open to the network. We want the programs only: a masked
# unit is neither started nor enabled.
keep_system_broker_off() {
  if [[ -d /run/systemd/system ]]; then
    say "Keeping the system-wide rabbitmq-server off (systemctl unmask rabbitmq-server undoes that)"
    as_root systemctl mask rabbitmq-server
  fi
}

require_swift() {
  command -v swift >/dev/null || fail "Swift 6.2 or newer is needed: https://www.swift.org/install/linux/"
}
