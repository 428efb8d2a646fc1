#!/usr/bin/env bash
# Makes this machine ready to build Keepset: system packages and LibTorch, only what is missing.
# Called by run.sh and test.sh; alone: bash packaging/setup.sh [--tests | --cli]
# --cli is what the command line needs: no Qt, and no root where the compiler and the headers are there (conda, modules, by hand).
#
# What can be set from outside:
#   KEEPSET_TORCH_DIR             folder of an installed torch 2.11 (holds include/ and lib/), used as it is
#   KEEPSET_CACHE                 where LibTorch is kept (default: $XDG_CACHE_HOME/keepset or ~/.cache/keepset; build/cache
#                                 where the home cannot be written)
#   KEEPSET_GPU                   1 or 0: take the set of packages for an NVIDIA GPU, or that without, whatever is found here
#   KEEPSET_CUDA_MODULE           1: build the CUDA module where nvcc 13 is, though no GPU is (CI)
#   KEEPSET_SKIP_SYSTEM_PACKAGES  1: do not look at system packages (everything was installed by hand)

TORCH_VERSION=2.11.0
CUDA_MAJOR=13     # of the CUDA that torch from PyPI is made for
DRIVER_MAJOR=580  # the oldest NVIDIA driver that CUDA 13 runs on
NVCC_VERSION=13.0.2

keepset_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*"; }
step() { printf '\n== %s\n' "$*"; }
fail() {
    printf 'keepset: %s\n' "$*" >&2
    exit 1
}

# Seconds since the given time ($EPOCHREALTIME), with one decimal.
elapsed() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f s", b - a }'; }

# shellcheck source=packaging/system.sh
. "$keepset_root/packaging/system.sh"

make_cache() {
    if ! mkdir -p "$keepset_cache" 2>/dev/null || [ ! -w "$keepset_cache" ]; then
        fail "the cache folder $keepset_cache cannot be written: set KEEPSET_CACHE to one that can."
    fi
}

# Where downloads are kept. A home that cannot be written (containers, clusters) is no reason to stop: the build folder is there.
choose_cache() {
    if [ -n "${KEEPSET_CACHE:-}" ]; then
        keepset_cache=$KEEPSET_CACHE
        return
    fi
    keepset_cache=${XDG_CACHE_HOME:-${HOME:-/dev/null}/.cache}/keepset
    if [ ! -w "$keepset_cache" ] && ! mkdir -p "$keepset_cache" 2>/dev/null; then
        keepset_cache=$keepset_root/build/cache
        export CCACHE_DIR=${CCACHE_DIR:-$keepset_root/build/ccache}
    fi
}

nvidia_folder=${KEEPSET_NVIDIA_FOLDER:-/proc/driver/nvidia} # the driver's; tests name another

has_nvidia_gpu() {
    [ -z "${KEEPSET_GPU:-}" ] || { [ "$KEEPSET_GPU" = 1 ] && return || return 1; }
    [ -n "$(ls -A "$nvidia_folder/gpus" 2>/dev/null)" ] && return
    command -v nvidia-smi >/dev/null && [[ $(nvidia-smi -L 2>/dev/null) == GPU* ]]
}

# "550.54.14"; nothing where no driver is or it does not say.
driver_version() {
    local version
    version=$(sed -n 's/^NVRM version:.* \([0-9][0-9]*\.[0-9.]*[0-9]\) .*/\1/p' "$nvidia_folder/version" 2>/dev/null)
    [ -n "$version" ] || version=$(nvidia-smi --query-gpu=driver_version --format=csv,noheader 2>/dev/null | head -n 1)
    [[ $version =~ ^[0-9]+(\.[0-9]+)*$ ]] && printf '%s' "$version"
    return 0
}

# Asked before gigabytes are downloaded for a GPU that could not be used.
check_driver() {
    local version
    [ "$keepset_gpu" = 1 ] || return 0
    version=$(driver_version)
    if [ -n "$version" ] && [ "${version%%.*}" -lt $DRIVER_MAJOR ]; then
        if [ "${KEEPSET_GPU:-}" = 1 ]; then
            say "NVIDIA driver $version is older than $DRIVER_MAJOR, which CUDA $CUDA_MAJOR needs: everything will run on the CPU until it is updated (the GPU's set is taken, as KEEPSET_GPU=1 says)"
            return
        fi
        say "NVIDIA driver $version is older than $DRIVER_MAJOR, which CUDA $CUDA_MAJOR needs: the GPU cannot be used, and Keepset is built for the CPU; update the driver and run this again to use it"
        keepset_gpu=0
    fi
}

# Version of the torch package in a folder, "" where it is none.
torch_version_in() {
    [ -e "$1/lib/libtorch_cpu.so" ] && sed -n "s/^__version__ = '\([^']*\)'.*/\1/p" "$1/version.py" 2>/dev/null
}

# The CUDA that it was made for: "13.0", "13" or "12" (from 2.11.0+cu126); "" where it has none or does not say.
torch_cuda_in() {
    local cuda
    cuda=$(sed -n "s/^cuda[^=]*= '\([^']*\)'.*/\1/p" "$1/version.py" 2>/dev/null)
    [ -n "$cuda" ] || cuda=$(torch_version_in "$1" | sed -n 's/.*+cu\([0-9][0-9]\).*/\1/p')
    printf '%s' "$cuda"
}

# Why a torch does not fit this machine; nothing where it does.
torch_does_not_fit() {
    local version cuda
    version=$(torch_version_in "$1")
    cuda=$(torch_cuda_in "$1")
    if [[ $version != "${TORCH_VERSION%.*}".* ]]; then
        printf "it holds '%s', and torch %s is needed" "$version" "${TORCH_VERSION%.*}"
    elif [ "$keepset_gpu" = 1 ] && [ ! -e "$1/lib/libtorch_cuda.so" ]; then
        printf "torch %s is for the CPU alone, and an NVIDIA GPU is here" "$version"
    elif [ "$keepset_gpu" = 1 ] && [ "${cuda%%.*}" != $CUDA_MAJOR ]; then
        printf "torch %s was made for CUDA %s, and the GPU module needs CUDA %s" "$version" "${cuda:-unknown}" $CUDA_MAJOR
    fi
}

is_right_torch() { [ -z "$(torch_does_not_fit "$1")" ]; }

python_torch() {
    python3 -c 'import importlib.util as u; s = u.find_spec("torch"); print(s.submodule_search_locations[0] if s else "")' 2>/dev/null || true
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
    # A user's pip may insist on --user or on a virtual environment; neither goes with a folder of our own.
    if ! TMPDIR=$part/tmp PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 python3 -m pip install --disable-pip-version-check --no-cache-dir --no-input --retries 2 \
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
        is_right_torch "$KEEPSET_TORCH_DIR" || fail "KEEPSET_TORCH_DIR ($KEEPSET_TORCH_DIR) does not fit this machine: $(torch_does_not_fit "$KEEPSET_TORCH_DIR"). Name the folder with include/ and lib/ of one that does, or unset it to have it downloaded$([ "$keepset_gpu" = 0 ] || printf '; KEEPSET_GPU=0 builds for the CPU')."
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
        if [ -n "$keepset_torch" ]; then
            say "torch of python3 is not used: $(torch_does_not_fit "$keepset_torch")"
        fi
        make_cache
        download_torch "$folder"
        keepset_torch=$folder/torch
        is_right_torch "$keepset_torch" || fail "the downloaded torch in $folder is not whole: remove that folder and run this again."
    fi
    say "torch $(torch_version_in "$keepset_torch") in $keepset_torch"
}

# The CUDA compiler, where there is a GPU to use it for. Sets keepset_nvcc ("" where none is to be used).
cuda_compiler() {
    local nvcc folder=$keepset_cache/nvcc-$NVCC_VERSION
    keepset_nvcc=
    if [ "$keepset_gpu" = 0 ] && [ "${KEEPSET_CUDA_MODULE:-0}" != 1 ]; then
        say "no NVIDIA GPU: the CUDA module is left out (KEEPSET_GPU=1 builds it all the same)"
        return
    fi
    for nvcc in "$(command -v nvcc)" /usr/local/cuda/bin/nvcc; do
        if [ -x "$nvcc" ] && [[ $("$nvcc" --version) == *"release $CUDA_MAJOR."* ]]; then
            keepset_nvcc=$nvcc
            say "nvcc: $nvcc"
            return
        fi
    done
    if [ "$keepset_gpu" = 0 ]; then
        say "no nvcc $CUDA_MAJOR and no NVIDIA GPU: the CUDA module is left out"
        return
    fi
    if [ ! -x "$folder/nvidia/cu13/bin/nvcc" ]; then
        make_cache
        check_free_space "$keepset_cache" 2
        install_python_packages "nvcc $NVCC_VERSION" "$folder" "cuda-toolkit[nvcc,cccl,crt,nvvm,cudart]==$NVCC_VERSION"
        chmod -R u+x "$folder/nvidia/cu13/bin" "$folder/nvidia/cu13/nvvm/bin" 2>/dev/null || true
    fi
    keepset_nvcc=$folder/nvidia/cu13/bin/nvcc
    say "nvcc: $keepset_nvcc"
}

# keepset_setup [--tests | --cli]: everything above. Sets keepset_torch, keepset_nvcc, keepset_gpu, keepset_cache.
keepset_setup() {
    choose_cache
    keepset_gpu=$(has_nvidia_gpu && printf 1 || printf 0)
    [ "$(uname -m)" = x86_64 ] || say "This processor ($(uname -m)) was never tried; x86_64 was."
    step "System packages"
    case ${1:-} in
    --cli)
        export CMAKE_PREFIX_PATH=${CMAKE_PREFIX_PATH:-}${CONDA_PREFIX:+:$CONDA_PREFIX}
        cli_requirements
        ;;
    --tests) system_packages "${CLI_PACKAGES[@]}" "${WINDOW_PACKAGES[@]}" "${TEST_PACKAGES[@]}" ;;
    '') system_packages "${CLI_PACKAGES[@]}" "${WINDOW_PACKAGES[@]}" ;;
    *) fail "'$1' is not known to setup: --tests and --cli are." ;;
    esac
    step "LibTorch $TORCH_VERSION"
    check_driver
    libtorch
    cuda_compiler
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    set -euo pipefail
    keepset_setup "$@"
fi
