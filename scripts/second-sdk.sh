#!/usr/bin/env bash
# A second opinion on client-side messages: installs the AWS Encryption SDK for Python in a temporary folder, and holds it against src/envelope,
# both ways. One line a case; fails at the first that differs. Nothing of it stays, the wrapping key made for the run least of all.
#
#   scripts/second-sdk.sh
set -euo pipefail
cd "$(dirname "$0")/.."
# Node 24 first.
export PATH="$PWD/node_modules/.bin:$PATH"

if ! command -v python3 >/dev/null 2>&1; then
  echo 'The second SDK needs Python 3.11 or newer, and there is no python3 here.' >&2
  exit 1
fi

# For this user alone: a key is in it.
umask 077
work=$(mktemp -d)
pid=''
stop() {
  if [ -n "$pid" ]; then
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM

if ! python3 -m venv "$work/venv"; then
  echo 'python3 cannot make a virtual environment; on Debian and Ubuntu install the package python3-venv.' >&2
  exit 1
fi
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement test/envelope/interop/requirements.txt
"$work/venv/bin/pip" list --disable-pip-version-check | grep -E '^aws-(encryption-sdk|cryptographic-material-providers) '

# In the background, so that a signal to this script is not kept until the end.
TMPDIR=$work node --disable-warning=ExperimentalWarning test/envelope/interop/index.ts "$work/venv/bin/python" "$work" &
pid=$!
wait "$pid"
pid=''
