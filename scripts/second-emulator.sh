#!/usr/bin/env bash
# A second opinion: installs an AWS emulator that we did not write, holds our expectations of AWS against it, runs our functions
# against it, and stops it. Fails when what it finds is not what docs/conformance.md says.
#
#   scripts/second-emulator.sh            compares with the page
#   scripts/second-emulator.sh --update   writes the page
#   scripts/second-emulator.sh --serve    only starts it, prints how to reach it, and stops it with this script
set -euo pipefail
cd "$(dirname "$0")/.."
# Node 24 first, for the suite and for the functions that the emulator runs.
export PATH="$PWD/node_modules/.bin:$PATH"

name=ministack
packages=scripts/second-emulator.txt
# Outside of the project's own folders: a folder per set of packages, made once.
venv=.build/second-emulator-$(cksum <"$packages" | cut -d' ' -f1)

if ! command -v python3 >/dev/null 2>&1; then
  echo 'The second emulator needs Python 3.10 or newer, and there is no python3 here.' >&2
  exit 1
fi
if [ ! -x "$venv/bin/$name" ]; then
  rm -rf "$venv"
  mkdir -p .build
  if ! python3 -m venv "$venv"; then
    echo 'python3 cannot make a virtual environment; on Debian and Ubuntu install the package python3-venv.' >&2
    rm -rf "$venv"
    exit 1
  fi
  "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$packages"
fi

work=$(mktemp -d)
pids=''
stop() {
  for pid in $pids; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM

run() { node --disable-warning=ExperimentalWarning "$@"; }
ready='import sys, urllib.request; urllib.request.urlopen(sys.argv[1] + "/_ministack/health", timeout=1)'
export AWS_REGION=us-east-1

# Starts a server on a free port; sets AWS_ENDPOINT_URL.
#   $1: AUTH=true, which judges policies, or AUTH=false
serve() {
  local port pid log try
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  log=$work/$port.log
  mkdir "$work/$port"
  # Its functions would take over an endpoint that they find.
  env -u AWS_ENDPOINT_URL "$1" BIND_HOST=127.0.0.1 GATEWAY_PORT="$port" TMPDIR="$work/$port" LOG_LEVEL=WARNING \
    AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test "$venv/bin/$name" >"$log" 2>&1 &
  pid=$!
  pids="$pids $pid"
  export AWS_ENDPOINT_URL=http://127.0.0.1:$port
  for try in $(seq 60); do
    if python3 -c "$ready" "$AWS_ENDPOINT_URL" 2>/dev/null; then return; fi
    if [ "$try" = 60 ] || ! kill -0 "$pid" 2>/dev/null; then
      echo "$name did not start:" >&2
      cat "$log" >&2
      exit 1
    fi
    sleep 0.5
  done
}

# With AUTH its first credential is the account's root, whom no policy binds: the suite asks as an administrator.
serve AUTH=true
administrator=$(run test/conformance/second-emulator/administrator.ts "$AWS_ENDPOINT_URL")
# shellcheck disable=SC2086,SC2163  # words of the form NAME=value
export $administrator

if [ "${1:-}" = --serve ]; then
  printf 'export AWS_ENDPOINT_URL=%s AWS_REGION=%s %s\n' "$AWS_ENDPOINT_URL" "$AWS_REGION" "$administrator"
  wait
  exit
fi

run test/conformance/index.ts --endpoint "$AWS_ENDPOINT_URL" --server "$name" --report "$work/conformance.md"
if [ "${1:-}" = --update ]; then
  cp "$work/conformance.md" docs/conformance.md
elif ! diff -u docs/conformance.md "$work/conformance.md"; then
  echo 'docs/conformance.md is not what was found: look at each change, then run scripts/second-emulator.sh --update.' >&2
  exit 1
fi

contract() { vitest run --config test/conformance/second-emulator/vitest.config.ts "$1"; }
# One contract, two servers: npm test runs the same one against the sandbox.
contract handlers
# Without AUTH: its evaluator lacks condition keys that the roles need (docs/decisions/second-opinion.md).
serve AUTH=false
AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test contract deployed
