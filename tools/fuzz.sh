#!/usr/bin/env bash
# Runs every fuzz target of all modules with the given -fuzztime, one after the other.
set -euo pipefail
time=${1:-5000x}
go=${GO:-go}
grep -rlE '^func Fuzz[A-Z]' --include='*_test.go' . | xargs -n1 dirname | sort -u | while read -r dir; do
  grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$dir"/*_test.go | awk '{print $2}' | sort -u | while read -r target; do
    echo "fuzz $dir $target"
    (cd "$dir" && "$go" test . -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 1x -parallel 2)
  done
done
