#!/usr/bin/env bash
# Installs what is missing, builds Keepset and opens its window on the bundled demo, or on what is named:
#   bash packaging/run.sh [MODEL_DIR] [--text FILE] [FILE.h5 …]
# Where no display is, or with --headless, the demo runs in the terminal: analysis, sweep, table, pictures.
# With --cli only the command line is built, into build/cli, without Qt; the demo runs in the terminal, without pictures.
set -euo pipefail
# shellcheck source=packaging/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
# shellcheck source=packaging/build.sh
. "$keepset_root/packaging/build.sh"

usage() { sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

headless=0
cli=0
arguments=()
for argument in "$@"; do
    case $argument in
    --headless) headless=1 ;;
    --cli) cli=1 headless=1 ;;
    -h | --help)
        usage
        exit 0
        ;;
    *) arguments+=("$argument") ;;
    esac
done
if [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    headless=1
fi
preset=$([ $cli = 1 ] && printf cli || printf release)
bin=$keepset_root/build/$preset/bin
if [ $headless = 1 ] && [ ${#arguments[@]} -gt 0 ]; then
    fail "without a window only the demo runs, and '${arguments[*]}' asks for something else: use build/$preset/bin/keepset-cli (see README.md)."
fi

begin=$EPOCHREALTIME
if [ $cli = 1 ]; then
    keepset_setup --cli
    programs=(keepset-cli)
else
    keepset_setup
    programs=(keepset keepset-cli)
fi
[ -z "$keepset_nvcc" ] || programs+=(keepset_cuda)
keepset_build "$preset" "${programs[@]}"

if [ $headless = 0 ]; then
    step "Window"
    say "ready after $(elapsed "$begin"); opening ${arguments[*]:-the demo}"
    exec "$bin/keepset" "${arguments[@]}"
fi

demo=$keepset_root/resources/demo
results=${XDG_DATA_HOME:-${HOME:-/dev/null}/.local/share}/keepset/demo
mkdir -p "$results/pictures" 2>/dev/null || results=$keepset_root/build/demo
mkdir -p "$results/pictures" || fail "the folder for results, $results, cannot be made: set XDG_DATA_HOME to one that can."

step "Analysis (the demo runs in the terminal)"
part=$EPOCHREALTIME
"$bin/keepset-cli" analyze "$demo/model" --text "$demo/demo.txt" --force --out "$results/demo-trace.h5"
say "done in $(elapsed "$part")"

step "Sweep (four policies, seven sparsities, five windows)"
part=$EPOCHREALTIME
"$bin/keepset-cli" sweep "$demo/model" --text "$demo/heldout-books-test.txt" \
    --policies "dense,h2o,cab,h2o(local=0.3)" --sparsity 0:0.9:0.15 --context 256 --target 64 --windows 5 \
    --force --out "$results/demo-sweep.h5" --csv "$results/demo-sweep.csv"
say "done in $(elapsed "$part")"

step "Audit"
audit=0
"$bin/keepset-cli" audit "$results/demo-sweep.h5" || audit=$?

if [ $cli = 0 ]; then
    step "Pictures"
    part=$EPOCHREALTIME
    QT_QPA_PLATFORM=offscreen "$bin/keepset" --pictures "$results/pictures" "$demo/model" --text "$demo/demo.txt" "$results/demo-sweep.h5"
    say "done in $(elapsed "$part")"
fi

step "Done in $(elapsed "$begin")"
say "results:  $results (HDF5: trace and sweep; CSV of the table)"
if [ $cli = 1 ]; then
    say "program:  $bin/keepset-cli --help"
else
    say "pictures: $results/pictures"
    say "programs: $bin/keepset-cli --help, $bin/keepset"
fi
exit "$audit"
