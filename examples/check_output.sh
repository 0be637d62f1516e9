#!/bin/sh
# Runs a program and compares what it prints with what is expected.
#
#     check_output.sh EXPECTED ordered|unordered MASK PROGRAM [ARGUMENT...]
#
# Addresses, and whatever matches the extended regular expression MASK, are replaced by "*" first;
# "unordered" compares the lines whatever their order. The program must end with exit code 0 and
# leave standard error empty.
set -eu
export LC_ALL=C

expected=$1 order=$2 mask=$3
shift 3

folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT

code=0
"$@" >"$folder/raw" 2>"$folder/errors" || code=$?

if [ -n "$mask" ]; then
  sed -E -e 's/0x[0-9a-f]+/*/g' -e "s~$mask~*~g" "$folder/raw" >"$folder/actual"
else
  sed -E -e 's/0x[0-9a-f]+/*/g' "$folder/raw" >"$folder/actual"
fi
cp "$expected" "$folder/expected"
if [ "$order" = unordered ]; then
  sort -o "$folder/actual" "$folder/actual"
  sort -o "$folder/expected" "$folder/expected"
fi

failed=0
if [ "$code" -ne 0 ]; then
  echo "exit code $code"
  failed=1
fi
if [ -s "$folder/errors" ]; then
  echo "standard error:"
  cat "$folder/errors"
  failed=1
fi
diff -u "$folder/expected" "$folder/actual" || failed=1
exit $failed
