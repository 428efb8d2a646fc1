#!/usr/bin/env bash
# Makes this machine ready to build Keepset: system packages and LibTorch, only what is missing.
# Called by run.sh and test.sh; alone: bash packaging/setup.sh [--tests]
#
# What can be set from outside:
#   KEEPSET_TORCH_DIR             folder of an installed torch 2.11 (holds include/ and lib/), used as it is
#   KEEPSET_CACHE                 where LibTorch is kept (default: $XDG_CACHE_HOME/keepset or ~/.cache/keepset)
#   KEEPSET_GPU                   1 or 0: take the set of packages for an NVIDIA GPU, or that without, whatever is found here
#   KEEPSET_SKIP_SYSTEM_PACKAGES  1: do not look at system packages (everything was installed by hand)

TORCH_VERSION=2.11.0
NVCC_VERSION=13.0.2

# A name|other means: the first that this system knows; a last '-' means: not needed where no such package exists.
BUILD_PACKAGES=(g++ cmake ninja-build ccache git pkg-config python3 python3-pip
    qt6-base-dev "qt6-svg-dev|libqt6svg6-dev" "libqt6opengl6-dev|-"
    libgl-dev libopengl-dev
    libhdf5-dev nlohmann-json3-dev libcli11-dev libicu-dev libssl-dev)
TEST_PACKAGES=(clang-format clang-tidy "libomp-14-dev|-" python3-h5py)

keepset_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*"; }
step() { printf '\n== %s\n' "$*"; }
fail() {
    printf 'keepset: %s\n' "$*" >&2
    exit 1
}

# Seconds since the given time ($EPOCHREALTIME), with one decimal.
elapsed() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f s", b - a }'; }

# "debian 12", "ubuntu 24.04", "fedora 41"; testing and unstable Debian have no number.
system_name() {
    (
        ID=unknown VERSION_ID=
        # shellcheck source=/dev/null
        . "${KEEPSET_OS_RELEASE:-/etc/os-release}" 2>/dev/null
        printf '%s %s' "$ID" "$VERSION_ID"
    )
}

system_is_known() {
    local id version
    read -r id version <<<"$1"
    case $id in
    debian) [ -z "$version" ] || [ "${version%%.*}" -ge 12 ] ;;
    ubuntu) [ "${version%%.*}" -ge 24 ] ;;
    *) return 1 ;;
    esac
}

# Prints the wanted packages of which no alternative is installed.
missing_packages() {
    local installed wanted name
    installed=" $(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' 2>/dev/null | sed -n 's/^ii *//p' | tr '\n' ' ')"
    for wanted in "$@"; do
        for name in ${wanted//|/ }; do
            [[ $installed == *" $name "* ]] && continue 2
        done
        printf '%s\n' "$wanted"
    done
}

# The first alternative that the package lists know; nothing where it ends in '-' and none is known.
choose_package() {
    local name
    [[ $1 == *"|"* ]] || {
        printf '%s\n' "$1"
        return
    }
    for name in ${1//|/ }; do
        [ "$name" = - ] && return
        # Not "| grep -q": that closes the pipe early, and pipefail takes it for a failure.
        if [[ $(apt-cache policy "$name" 2>/dev/null) == *"Candidate: "[!\(]* ]]; then
            printf '%s\n' "$name"
            return
        fi
    done
    printf '%s\n' "${1%%|*}"
}

names_for_people() {
    local names=() wanted
    for wanted in "$@"; do names+=("${wanted%%|*}"); done
    printf '%s' "${names[*]}"
}

can_sudo() { command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; }

as_root() {
    if [ "$(id -u)" = 0 ]; then
        env DEBIAN_FRONTEND=noninteractive "$@"
    else
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    fi
}

install_packages() {
    local log=$1 begin=$EPOCHREALTIME wanted name chosen=()
    shift
    if [ "$(id -u)" != 0 ] && ! can_sudo; then
        fail "system packages are missing and root is needed for them: run 'apt-get install $(names_for_people "$@")' as root (or ask an administrator to), then run this again."
    fi
    say "missing: $(names_for_people "$@")"
    say "installing them with apt-get$([ "$(id -u)" = 0 ] || printf ' (sudo may ask for your password)')"
    as_root apt-get update >"$log" 2>&1 || true
    for wanted in "$@"; do
        name=$(choose_package "$wanted")
        [ -n "$name" ] && chosen+=("$name")
    done
    [ ${#chosen[@]} = 0 ] && return
    if ! as_root apt-get install -y --no-install-recommends "${chosen[@]}" >>"$log" 2>&1; then
        fail "apt-get could not install ${chosen[*]} ($(grep -m1 '^E:' "$log" || tail -n 1 "$log")): check the network and the package sources; the whole log is $log."
    fi
    say "installed in $(elapsed "$begin")"
}

system_packages() {
    local system missing log
    system=$(system_name)
    if [ "${KEEPSET_SKIP_SYSTEM_PACKAGES:-0}" = 1 ]; then
        say "not looked at (KEEPSET_SKIP_SYSTEM_PACKAGES=1)"
        return
    fi
    if ! system_is_known "$system" || ! command -v dpkg-query >/dev/null; then
        fail "this system ($system) is neither Debian 12 or later nor Ubuntu 24.04 or later: install by hand what Debian calls $(names_for_people "$@"), then run again with KEEPSET_SKIP_SYSTEM_PACKAGES=1."
    fi
    mapfile -t missing < <(missing_packages "$@")
    # What is left may be a package that this system does not have and does not need.
    if [ -n "${missing[*]}" ] && [[ " ${missing[*]} " != *[!-]" "* ]]; then
        local needed=() wanted
        for wanted in "${missing[@]}"; do
            [ -z "$(choose_package "$wanted")" ] || needed+=("$wanted")
        done
        missing=("${needed[@]}")
    fi
    if [ ${#missing[@]} = 0 ]; then
        say "all $# are there ($system)"
        return
    fi
    mkdir -p "$keepset_cache" || fail "the cache folder $keepset_cache cannot be made: set KEEPSET_CACHE to a folder that can be written."
    log=$keepset_cache/apt.log
    install_packages "$log" "${missing[@]}"
}

has_nvidia_gpu() {
    [ -z "${KEEPSET_GPU:-}" ] || { [ "$KEEPSET_GPU" = 1 ] && return || return 1; }
    [ -n "$(ls -A /proc/driver/nvidia/gpus 2>/dev/null)" ] && return
    command -v nvidia-smi >/dev/null && [[ $(nvidia-smi -L 2>/dev/null) == GPU* ]]
}

# Version of the torch package in a folder, "" where it is none.
torch_version_in() {
    [ -e "$1/lib/libtorch_cpu.so" ] && sed -n "s/^__version__ = '\([^']*\)'.*/\1/p" "$1/version.py" 2>/dev/null
}

is_right_torch() {
    [[ $(torch_version_in "$1") == "${TORCH_VERSION%.*}".* ]] || return 1
    [ "$keepset_gpu" = 0 ] || [ -e "$1/lib/libtorch_cuda.so" ]
}

python_torch() {
    python3 -c 'import importlib.util as u; s = u.find_spec("torch"); print(s.submodule_search_locations[0] if s else "")' 2>/dev/null
}

check_free_space() { # folder, GB
    local free_kb
    free_kb=$(df -Pk "$1" | awk 'NR == 2 { print $4 }')
    if [ "$free_kb" -lt $(($2 * 1000000)) ]; then
        fail "LibTorch needs $2 GB of free space and $1 has $((free_kb / 1000000)) GB: free some, or set KEEPSET_CACHE to a folder on another disk."
    fi
}

# Installs Python packages into a new folder, whole or not at all.
install_python_packages() { # what, folder, packages and options of pip
    local what=$1 folder=$2 part=$2.part log=$2.log begin=$EPOCHREALTIME
    shift 2
    exec 9>"$keepset_cache/lock" && flock 9 # a second run waits here
    rm -rf "$part"
    mkdir -p "$part/tmp"
    if ! TMPDIR=$part/tmp python3 -m pip install --disable-pip-version-check --no-cache-dir --no-input --retries 2 \
        --target "$part" "$@" >"$log" 2>&1; then
        rm -rf "$part"
        fail "$what could not be downloaded ($(grep -m1 '^ERROR' "$log" || tail -n 1 "$log")): check the network; the whole log is $log."
    fi
    rm -rf "$part/tmp" "$folder"
    mv "$part" "$folder"
    rm -f "$log"
    exec 9>&-
    say "$what: installed in $(elapsed "$begin")"
}

download_torch() { # folder
    local packages=("torch==$TORCH_VERSION") space=10 set="full set: an NVIDIA GPU is here"
    if [ "$keepset_gpu" = 0 ]; then
        # All that libtorch_cpu loads; the full set is three times as large.
        packages=(--no-deps "torch==$TORCH_VERSION" nvidia-cuda-cupti==13.0.85 nvidia-cuda-runtime==13.0.96)
        space=4 set="CPU set: no NVIDIA GPU found"
    fi
    check_free_space "$keepset_cache" "$space"
    say "downloading torch $TORCH_VERSION ($set) into $1"
    install_python_packages "LibTorch" "$1" "${packages[@]}"
}

libtorch() {
    local folder
    if [ -n "${KEEPSET_TORCH_DIR:-}" ]; then
        is_right_torch "$KEEPSET_TORCH_DIR" || fail "KEEPSET_TORCH_DIR ($KEEPSET_TORCH_DIR) holds no torch ${TORCH_VERSION%.*} that fits this machine (found: '$(torch_version_in "$KEEPSET_TORCH_DIR")'): name the folder with include/ and lib/ of one, or unset it to have it downloaded."
        keepset_torch=$KEEPSET_TORCH_DIR
        say "torch $(torch_version_in "$keepset_torch"), as KEEPSET_TORCH_DIR says"
        return
    fi
    folder=$keepset_cache/torch-$TORCH_VERSION-$([ "$keepset_gpu" = 1 ] && printf cuda || printf cpu)
    keepset_torch=$folder/torch
    if ! is_right_torch "$keepset_torch"; then
        keepset_torch=$(python_torch)
        if [ -n "$keepset_torch" ] && is_right_torch "$keepset_torch"; then
            say "torch $(torch_version_in "$keepset_torch") of python3 is used: $keepset_torch"
            return
        fi
        mkdir -p "$keepset_cache" 2>/dev/null || fail "the cache folder $keepset_cache cannot be written: set KEEPSET_CACHE to one that can."
        download_torch "$folder"
        keepset_torch=$folder/torch
        is_right_torch "$keepset_torch" || fail "the downloaded torch in $folder is not whole: remove that folder and run this again."
    fi
    say "torch $(torch_version_in "$keepset_torch") in $keepset_torch"
}

# The CUDA compiler, where a GPU would be idle without it. Sets keepset_nvcc ("" where none is to be used).
cuda_compiler() {
    local nvcc folder=$keepset_cache/nvcc-$NVCC_VERSION
    keepset_nvcc=
    for nvcc in "$(command -v nvcc)" /usr/local/cuda/bin/nvcc; do
        if [ -x "$nvcc" ] && [[ $("$nvcc" --version) == *"release 13."* ]]; then
            keepset_nvcc=$nvcc
            say "nvcc: $nvcc"
            return
        fi
    done
    if [ "$keepset_gpu" = 0 ]; then
        say "no nvcc 13 and no NVIDIA GPU: the CUDA module is left out"
        return
    fi
    if [ ! -x "$folder/nvidia/cu13/bin/nvcc" ]; then
        mkdir -p "$keepset_cache"
        check_free_space "$keepset_cache" 2
        install_python_packages "nvcc $NVCC_VERSION" "$folder" "cuda-toolkit[nvcc,cccl,crt,nvvm,cudart]==$NVCC_VERSION"
        chmod -R u+x "$folder/nvidia/cu13/bin" "$folder/nvidia/cu13/nvvm/bin" 2>/dev/null || true
    fi
    keepset_nvcc=$folder/nvidia/cu13/bin/nvcc
    say "nvcc: $keepset_nvcc"
}

# keepset_setup [--tests]: everything above. Sets keepset_torch, keepset_nvcc, keepset_gpu, keepset_cache.
keepset_setup() {
    local packages=("${BUILD_PACKAGES[@]}")
    [ "${1:-}" = --tests ] && packages+=("${TEST_PACKAGES[@]}")
    keepset_cache=${KEEPSET_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/keepset}
    keepset_gpu=$(has_nvidia_gpu && printf 1 || printf 0)
    [ "$(uname -m)" = x86_64 ] || say "This processor ($(uname -m)) was never tried; x86_64 was."
    step "System packages"
    system_packages "${packages[@]}"
    step "LibTorch $TORCH_VERSION"
    libtorch
    cuda_compiler
}

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

# keepset_build PRESET [TARGET …]: configures where needed and builds.
keepset_build() {
    local preset=$1 jobs begin=$EPOCHREALTIME targets=()
    shift
    jobs=$(build_jobs)
    step "Build ($preset, $jobs at a time)"
    keepset_configure "$preset"
    [ $# -gt 0 ] && targets=(--target "$@")
    nice cmake --build "$keepset_root/build/$preset" --parallel "$jobs" "${targets[@]}" ||
        fail "the build failed: its first error stands above."
    say "built in $(elapsed "$begin")"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    set -euo pipefail
    keepset_setup "$@"
fi
