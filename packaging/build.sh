# shellcheck shell=bash disable=SC2154 # keepset_root and its like are of setup.sh
# Configures and builds, with one line of progress. Sourced after setup.sh by run.sh and test.sh.

# Jobs that fit the processors and the memory: a Torch source needs up to 2 GB to compile.
build_jobs() {
    awk -v cores="$(nproc)" '/^MemAvailable/ { jobs = int($2 / 2000000) }
        END { if (jobs > cores) jobs = cores; print jobs < 1 ? 1 : jobs }' /proc/meminfo
}

# keepset_configure PRESET: runs CMake where the answers differ from the last time (it costs seconds).
keepset_configure() {
    local preset=$1 folder=$keepset_root/build/$1 log=$keepset_root/build/$1.log
    local options=("-DKEEPSET_TORCH_DIR=$keepset_torch")
    if [ -n "$keepset_nvcc" ]; then
        options+=("-DKEEPSET_CUDA=AUTO" "-DCMAKE_CUDA_COMPILER=$keepset_nvcc")
    else
        options+=("-DKEEPSET_CUDA=OFF")
    fi
    if [[ $keepset_nvcc == "$keepset_cache"/* ]]; then
        options+=("-DCUDAToolkit_ROOT=${keepset_nvcc%/bin/nvcc}")
    fi
    if [ -e "$folder/build.ninja" ] && [ "$(cat "$folder/keepset-options" 2>/dev/null)" = "${options[*]}" ]; then
        return
    fi
    mkdir -p "$folder"
    (cd "$keepset_root" && cmake --preset "$preset" "${options[@]}" >"$log" 2>&1) || {
        tail -n 25 "$log" >&2
        fail "CMake could not configure the build (above; whole log: $log)."
    }
    printf '%s\n' "${options[*]}" >"$folder/keepset-options"
    sed -n 's/^-- \(CUDA module: \)/\1/p' "$log"
}

# Reads ninja's lines and shows one line of progress with the time left: redrawn on a terminal, else one every half minute.
show_progress() {
    local line finished total begin=$EPOCHSECONDS shown=$EPOCHSECONDS spent left width=${COLUMNS:-80} text
    while IFS= read -r line; do
        [[ $line =~ ^\[([0-9]+)/([0-9]+)\]\ [A-Z][a-z]+\ [A-Z] ]] || continue
        finished=${BASH_REMATCH[1]} total=${BASH_REMATCH[2]} spent=$((EPOCHSECONDS - begin))
        left=$((spent * (total - finished) / finished))
        text="$finished of $total"
        [ $spent -lt 5 ] || text+=", $([ $left -ge 90 ] && printf 'about %d min' $(((left + 30) / 60)) || printf '%d s' $left) left"
        if [ -t 1 ]; then
            printf '\r%-*.*s' $((width - 1)) $((width - 1)) "$text  ${line##*/}"
        elif [ $((EPOCHSECONDS - shown)) -ge "${KEEPSET_PROGRESS_S:-30}" ]; then
            shown=$EPOCHSECONDS
            say "$text"
        fi
    done
    [ ! -t 1 ] || printf '\r%*s\r' $((width - 1)) ''
}

# The first thing that ninja says went wrong: the compiler's first error with what stands around it, else the failed command's words.
first_error() { # log
    awk '/^FAILED: / { failed = 1; next }
        failed && / error: |^ld: |undefined reference|fatal error:|Error / { shown = 1 }
        shown { print; if (++lines == 8) exit }' "$1"
    grep -q -E ' error: |^ld: |undefined reference|Error ' "$1" || tail -n 12 "$1"
}

# keepset_build PRESET [TARGET …]: configures where needed and builds.
keepset_build() {
    local preset=$1 jobs log begin=$EPOCHREALTIME targets=()
    shift
    jobs=$(build_jobs)
    log=$keepset_root/build/$preset/build.log
    step "Build ($preset, $jobs at a time; log: ${log#"$keepset_root"/})"
    keepset_configure "$preset"
    [ $# -gt 0 ] && targets=(--target "$@")
    nice cmake --build "$keepset_root/build/$preset" --parallel "$jobs" "${targets[@]}" 2>&1 | tee "$log" | show_progress || {
        first_error "$log" >&2
        fail "the build failed: its first error stands above, and everything in $log."
    }
    say "built in $(elapsed "$begin")"
}
