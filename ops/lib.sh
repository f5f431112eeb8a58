# Shared functions of the scripts in this folder. To be sourced.
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

# Runs a command as root, with sudo if necessary.
as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "packages are missing and sudo is not available; run as root: ${*#env DEBIAN_FRONTEND=noninteractive }"
  fi
}

installed() {
  [[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" == installed ]]
}

# Installs the Debian packages that are missing.
install_packages() {
  command -v apt-get >/dev/null || fail "not Debian or Ubuntu; install the equivalents of these packages: $*"
  local package missing=()
  for package in "$@"; do
    installed "$package" || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  say "Installing ${missing[*]}"
  as_root apt-get update -q
  for package in rabbitmq-server prometheus; do
    if [[ " ${missing[*]} " == *" $package "* ]]; then mask_service "$package"; fi
  done
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
}

# Debian's packages start a system-wide server that listens on the network. Only the programs are needed: a masked unit is
# neither started nor enabled.
mask_service() {
  if [[ -d /run/systemd/system ]]; then
    say "Masking the system-wide $1 (undo with: systemctl unmask $1)"
    as_root systemctl mask "$1"
  fi
}

# Creates the folder `$workspace` for all temporary files of a run. When the script ends, the brokers in it are stopped,
# including those of crashed tests, and it is removed, unless `keep` is set.
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
  trap '' INT TERM # a second Ctrl-C must not interrupt the clean-up
  if [[ -n "${keep:-}" ]]; then return; fi
  while read -r settings; do
    "$root/ops/broker" stop "$(dirname "$settings")" || true
  done < <(find "$workspace" -maxdepth 4 -name settings)
  rm -rf "$workspace"
}

# Makes all private brokers from now on run the RabbitMQ of a Debian release, and prints its version. Exits with 77 when
# that release is not available on this machine.
use_release() {
  local version status=0
  [[ "$1" == bookworm ]] || install_packages debootstrap
  version=$("$root/ops/broker" release "$1") || status=$?
  if ((status)); then exit "$status"; fi
  say "RabbitMQ $version of Debian $1"
  export POCKETWATCH_BROKER_RELEASE=$1
}

# Starts the private broker that all tests share, and exports its address.
start_broker() {
  say 'Starting a private RabbitMQ'
  "$root/ops/broker" start "$workspace/broker"
  "$root/ops/broker" import "$workspace/broker" "$root/definitions.json"
  export POCKETWATCH_TEST_BROKER="$root/ops/broker" POCKETWATCH_TEST_BROKER_DIR="$workspace/broker"
  POCKETWATCH_TEST_AMQP_URL=$("$root/ops/broker" url "$workspace/broker")
  export POCKETWATCH_TEST_AMQP_URL
}

# Builds all targets including tests; warnings are errors.
build_tests() {
  export POCKETWATCH_STRICT=1
  swift build --build-tests --explicit-target-dependency-import-check error
}

require_swift() {
  command -v swift >/dev/null || fail "Swift 6.2 or later is required: https://www.swift.org/install/linux/"
}
