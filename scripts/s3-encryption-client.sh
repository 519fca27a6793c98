#!/usr/bin/env bash
# An independent witness for src/s3-encryption-client/: installs the official S3 Encryption Clients for Python and Java, of three
# generations, has them write every format into the sandbox, and reads it all. Needs python3, a JDK and Maven.
#
#   scripts/s3-encryption-client.sh
set -euo pipefail
cd "$(dirname "$0")/.."
# Node 24 first.
export PATH="$PWD/node_modules/.bin:$PATH"

for tool in python3 javac java mvn; do
  if ! command -v "$tool" >/dev/null 2>&1; then
    echo "The witness needs python3, a JDK and Maven, and there is no $tool here." >&2
    exit 1
  fi
done

witness=test/s3-encryption-client/witness
# Outside of the project's own folders: a folder per set of packages, made once.
installed=.build/s3-encryption-client-$(cat "$witness/requirements.txt" "$witness/pom.xml" | cksum | cut -d' ' -f1)
if [ ! -e "$installed/whole" ]; then
  rm -rf "$installed"
  mkdir -p "$installed"
  python3 -m venv "$installed/python"
  "$installed/python/bin/pip" install --quiet --disable-pip-version-check --requirement "$witness/requirements.txt"
  mvn --quiet --batch-mode --file "$witness/pom.xml" dependency:build-classpath -Dmdep.outputFile="$PWD/$installed/classpath"
  touch "$installed/whole"
fi

work=$(mktemp -d)
sandbox=''
stop() {
  if [ -n "$sandbox" ]; then
    kill "$sandbox" 2>/dev/null || true
    wait "$sandbox" 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM

run() { node --disable-warning=ExperimentalWarning "$@"; }

node --disable-warning=ExperimentalWarning cli/start.ts --port 0 --api-port 0 --data "$work/sandbox" >"$work/log" 2>&1 &
sandbox=$!
for try in $(seq 240); do
  if grep -q '^ready' "$work/log"; then break; fi
  if [ "$try" = 240 ] || ! kill -0 "$sandbox" 2>/dev/null; then
    echo 'The sandbox did not start:' >&2
    cat "$work/log" >&2
    exit 1
  fi
  sleep 0.5
done
# shellcheck disable=SC1091  # made by the sandbox
source "$work/sandbox/env"

mkdir "$work/plaintext" "$work/classes"
key_arn=$(run "$witness/prepare.ts" witness)
# Of the sandbox, for this one run.
wrapping_key=$(run -p 'crypto.randomBytes(32).toString("base64")')

"$installed/python/bin/python" "$witness/write.py" witness "$work/plaintext" "$key_arn"
classpath=$(cat "$installed/classpath")
javac -nowarn -encoding UTF-8 -cp "$classpath" -d "$work/classes" "$witness/Write.java"
if ! java -cp "$work/classes:$classpath" Write witness "$work/plaintext" "$key_arn" "$wrapping_key" >"$work/java" 2>&1; then
  cat "$work/java" >&2
  exit 1
fi
run "$witness/read.ts" witness "$work/plaintext" "$key_arn" "$wrapping_key"
