#!/usr/bin/env bash
# Installs what is missing, builds Keepset and runs all tests:
#   bash packaging/test.sh              layout of the code, then every test (those labelled gpu skip where no GPU is);
#                                       it goes on from run.sh's build. KEEPSET_WERROR=1: warnings are errors, in build/ci
#   bash packaging/test.sh --sanitize   the tests of kernels, core and programs under address and undefined-behaviour sanitizers
#   bash packaging/test.sh --tidy       clang-tidy over our sources instead
set -euo pipefail
# shellcheck source=packaging/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
# shellcheck source=packaging/build.sh
. "$keepset_root/packaging/build.sh"

TOOLS_MAJOR=14 # of clang-format and clang-tidy: other versions lay out and complain differently

usage() { sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

# The tool in its one version, "" where only others are installed.
clang_tool() {
    local name
    for name in "$1-$TOOLS_MAJOR" "$1"; do
        if command -v "$name" >/dev/null && [[ $("$name" --version) == *"version $TOOLS_MAJOR."* ]]; then
            printf '%s' "$name"
            return
        fi
    done
}

our_sources() { git -C "$keepset_root" ls-files '*.cpp' '*.h' '*.cu' '*.cuh'; }

check_layout() {
    local tool wrong
    step "Layout of the code (clang-format $TOOLS_MAJOR)"
    tool=$(clang_tool clang-format)
    if [ -z "$tool" ]; then
        say "skipped: clang-format $TOOLS_MAJOR is not here (Debian 12 ships it; other versions lay out differently)"
        return
    fi
    wrong=$(cd "$keepset_root" && our_sources | while read -r file; do
        "$tool" --dry-run -Werror "$file" 2>/dev/null || printf '%s ' "$file"
    done)
    [ -z "$wrong" ] || fail "not laid out as .clang-format says: $wrong(run '$tool -i' on them)."
    say "$(our_sources | wc -l) files are laid out as .clang-format says"
}

run_tests() { # preset
    step "Tests ($1)"
    ctest --test-dir "$keepset_root/build/$1" --output-on-failure --parallel "$(build_jobs)" |
        tee "$keepset_root/build/$1/ctest.log"
}

run_tidy() {
    local tool folder=$keepset_root/build/tidy
    step "clang-tidy $TOOLS_MAJOR"
    tool=$(clang_tool clang-tidy)
    if [ -z "$tool" ]; then
        say "skipped: clang-tidy $TOOLS_MAJOR is not here (Debian 12 ships it)"
        return
    fi
    keepset_configure tidy
    # What moc makes is included by the sources of the window. The target that makes it would build core first.
    cmake -E cmake_autogen "$folder/ui/CMakeFiles/keepset_ui_autogen.dir/AutogenInfo.json" Release >"$folder/autogen.log" 2>&1 || {
        tail -n 25 "$folder/autogen.log" >&2
        fail "moc's part of the build failed (above)."
    }
    run-clang-tidy -clang-tidy-binary "$tool" -quiet -p "$folder" -j "$(build_jobs)" \
        -extra-arg=-Wno-unknown-warning-option "^$keepset_root/(app|core|kernels|ui)/.*\.cpp$" >"$folder/tidy.log" 2>&1 || {
        sed 's/\x1b\[[0-9;]*m//g' "$folder/tidy.log" | grep -E '(warning|error): ' | sort -u >&2
        fail "clang-tidy found the above (in full: $folder/tidy.log)."
    }
    say "nothing found"
}

mode=plain
case ${1:-} in
'') ;;
--sanitize) mode=sanitize ;;
--tidy) mode=tidy ;;
-h | --help)
    usage
    exit 0
    ;;
*) fail "'$1' is not known: see bash packaging/test.sh --help." ;;
esac

begin=$EPOCHREALTIME
keepset_setup --tests
status=0
case $mode in
plain)
    check_layout
    preset=$([ "${KEEPSET_WERROR:-0}" = 1 ] && printf ci || printf release)
    keepset_build "$preset"
    run_tests "$preset" || status=$?
    ;;
sanitize)
    keepset_build sanitize
    # protect_shadow_gap: the CUDA driver needs that range. Suppressions: leaks of libraries that are not ours.
    export ASAN_OPTIONS=detect_leaks=1:protect_shadow_gap=0:${ASAN_OPTIONS:-}
    export LSAN_OPTIONS=suppressions=$keepset_root/tests/support/lsan.supp:print_suppressions=0
    export UBSAN_OPTIONS=print_stacktrace=1
    run_tests sanitize || status=$?
    ;;
tidy) run_tidy ;;
esac
say ""
say "$([ $status = 0 ] && printf 'passed' || printf 'FAILED') in $(elapsed "$begin")"
exit "$status"
