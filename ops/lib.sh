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
  for package in rabbitmq-server prometheus; do
    if [[ " ${missing[*]} " == *" $package "* ]]; then keep_off "$package"; fi
  done
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
}

# Debian starts a server for the whole machine with its package, open to the network. We want the programs only: a masked
# unit is neither started nor enabled.
keep_off() {
  if [[ -d /run/systemd/system ]]; then
    say "Keeping the system-wide $1 off (systemctl unmask $1 undoes that)"
    as_root systemctl mask "$1"
  fi
}

# Gives a run a folder of its own, `$workspace`, and has all temporary files go there. At the end of the script the brokers
# in it are stopped, those too that a test started and did not live to stop, and it is removed, unless `keep` is set.
use_workspace() {
  workspace=$(mktemp -d "${TMPDIR:-/tmp}/pocketwatch-${0##*/}.XXXXXX")
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  mkdir "$workspace/tmp"
  export TMPDIR="$workspace/tmp"
}

clean_up() {
  local settings
  trap '' INT TERM # a second Ctrl-C does not leave half of it behind
  if [[ -n "${keep:-}" ]]; then return; fi
  while read -r settings; do
    "$root/ops/broker" stop "$(dirname "$settings")" || true
  done < <(find "$workspace" -maxdepth 4 -name settings)
  rm -rf "$workspace"
}

# Has all private brokers from now on run the RabbitMQ of a Debian release, and says which version that is. Ends the script
# with status 77 where it cannot be had on this machine.
use_release() {
  local version status=0
  [[ "$1" == bookworm ]] || install_packages debootstrap
  version=$("$root/ops/broker" release "$1") || status=$?
  if ((status)); then exit "$status"; fi
  say "RabbitMQ $version of Debian $1"
  export POCKETWATCH_BROKER_RELEASE=$1
}

# Starts the private broker in the workspace that all tests share, and names it to them.
start_broker() {
  say 'Starting a private RabbitMQ'
  "$root/ops/broker" start "$workspace/broker"
  "$root/ops/broker" import "$workspace/broker" "$root/definitions.json"
  export POCKETWATCH_TEST_BROKER="$root/ops/broker" POCKETWATCH_TEST_BROKER_DIR="$workspace/broker"
  POCKETWATCH_TEST_AMQP_URL=$("$root/ops/broker" url "$workspace/broker")
  export POCKETWATCH_TEST_AMQP_URL
}

# Builds all targets, tests too; warnings are errors.
build_tests() {
  export POCKETWATCH_STRICT=1
  swift build --build-tests --explicit-target-dependency-import-check error
}

require_swift() {
  command -v swift >/dev/null || fail "Swift 6.2 or newer is needed: https://www.swift.org/install/linux/"
}
