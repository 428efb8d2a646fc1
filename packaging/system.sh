# shellcheck shell=bash disable=SC2154,SC2034 # keepset_cache is of setup.sh, which uses the lists
# System packages: what is missing, from apt-get, or said by name. Part of setup.sh, which defines say, fail, elapsed and make_cache.

# A name|other means: the first that this system knows; a last '-' means: not needed where no such package exists.
CLI_PACKAGES=(g++ cmake ninja-build git python3 python3-pip
    libhdf5-dev zlib1g-dev nlohmann-json3-dev libcli11-dev libicu-dev libssl-dev)
WINDOW_PACKAGES=(pkg-config qt6-base-dev "qt6-svg-dev|libqt6svg6-dev" "qt6-charts-dev|libqt6charts6-dev" "libqt6opengl6-dev|-" qt6-tools-dev qt6-l10n-tools libgl-dev libopengl-dev)
TEST_PACKAGES=(ccache clang-format clang-tidy "libomp-14-dev|-" python3-h5py
    "xvfb|-" "openbox|-" "dbus|-" "at-spi2-core|-" "gir1.2-atspi-2.0|-" "python3-gi|-" "python3-xlib|-") # these for tests/ui/session.py, which skips without

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

# What a user's proxy settings are called; sudo drops them unless told.
PROXY_VARIABLES=http_proxy,https_proxy,ftp_proxy,no_proxy,HTTP_PROXY,HTTPS_PROXY,FTP_PROXY,NO_PROXY

can_sudo() { command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; }

as_root() {
    if [ "$(id -u)" = 0 ]; then
        env DEBIAN_FRONTEND=noninteractive "$@"
    else
        sudo --preserve-env="$PROXY_VARIABLES" env DEBIAN_FRONTEND=noninteractive "$@"
    fi
}

# What apt-get update could not read, in its words; nothing where all is well. It ends with 0 even when no list was read.
update_package_lists() { # log
    local status=0 trouble
    as_root apt-get update >"$1" 2>&1 || status=$?
    trouble=$(grep -m1 -E '^(E:|W: Failed|Err:)' "$1" || true)
    [ $status = 0 ] || [ -n "$trouble" ] || trouble="it ended with $status"
    printf '%s' "$trouble"
}

# Why apt-get install failed, and what to do: lists that could not be read are another matter than a package that is nowhere.
install_failed() { # log, what update said, packages
    local log=$1 update=$2 said
    shift 2
    said=$(grep -m1 '^E:' "$log" || tail -n 1 "$log")
    if [ -n "$update" ]; then
        fail "apt-get update could not read the package lists ($update), so $* could not be installed: check the network, the proxy (http_proxy, https_proxy) and the package sources; the whole log is $log."
    fi
    if [[ $said == *"Unable to locate"* || $said == *"no installation candidate"* ]]; then
        fail "a package is missing from this system's package sources ($said): add the source that has it (on Ubuntu: universe), or install it by hand and set KEEPSET_SKIP_SYSTEM_PACKAGES=1; the whole log is $log."
    fi
    fail "apt-get could not install $* ($said): check the network and the package sources; the whole log is $log."
}

install_packages() {
    local log=$1 begin=$EPOCHREALTIME wanted name update chosen=()
    shift
    if [ "$(id -u)" != 0 ] && ! can_sudo; then
        fail "system packages are missing and root is needed for them: run 'apt-get install $(names_for_people "$@")' as root (or ask an administrator to), then run this again. Without root, the command line alone can do without them: packaging/run.sh --cli."
    fi
    say "missing: $(names_for_people "$@")"
    say "installing them with apt-get$([ "$(id -u)" = 0 ] || printf ' (sudo may ask for your password)')"
    update=$(update_package_lists "$log.update")
    for wanted in "$@"; do
        name=$(choose_package "$wanted")
        [ -n "$name" ] && chosen+=("$name")
    done
    [ ${#chosen[@]} = 0 ] && return
    as_root apt-get install -y --no-install-recommends "${chosen[@]}" >"$log" 2>&1 || install_failed "$log" "$update" "${chosen[@]}"
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
    make_cache
    log=$keepset_cache/apt.log
    install_packages "$log" "${missing[@]}"
}

# What the command line is built from: how to look for it | what people call it | Debian | PyPI | conda-forge.
CLI_NEEDS=(
    "compiler|a C++20 compiler (g++ 12 or later)|g++|-|gxx_linux-64"
    "cmake|CMake 3.25 or later|cmake|cmake|cmake"
    "ninja|Ninja|ninja-build|ninja|ninja"
    "pip|pip for python3|python3-pip|pip|pip"
    "header hdf5_hl.h|HDF5|libhdf5-dev|-|hdf5"
    "header zlib.h|zlib|zlib1g-dev|-|zlib"
    "header nlohmann/json.hpp|nlohmann/json|nlohmann-json3-dev|-|nlohmann_json"
    "header CLI/CLI.hpp|CLI11|libcli11-dev|-|cli11"
    "header unicode/unorm2.h|ICU|libicu-dev|-|icu"
    "header openssl/evp.h|OpenSSL|libssl-dev|-|openssl"
)

cxx_compiler() { command -v "${CXX:-c++}" || command -v g++ || command -v clang++; }

# Is a need of CLI_NEEDS met? Headers are asked of the compiler, with the folders that CMake will look into too.
is_met() {
    local compiler folder search=()
    compiler=$(cxx_compiler) || compiler=
    case $1 in
    compiler) [ -n "$compiler" ] && echo '#include <span>' | "$compiler" -std=c++20 -fsyntax-only -x c++ - 2>/dev/null ;;
    cmake) command -v cmake >/dev/null && [ "$(printf '3.25\n%s\n' "$(cmake --version | sed -n 's/.*version \([0-9.]*\).*/\1/p')" | sort -V | head -n 1)" = 3.25 ] ;;
    ninja) command -v ninja >/dev/null ;;
    pip) python3 -m pip --version >/dev/null 2>&1 ;;
    header*)
        for folder in ${CMAKE_PREFIX_PATH//:/ } ${CONDA_PREFIX:-} /usr/include/hdf5/serial; do
            search+=(-isystem "$folder/include" -isystem "$folder")
        done
        [ -n "$compiler" ] && printf '#if !__has_include(<%s>)\n#error\n#endif\n' "${1#header }" |
            "$compiler" -std=c++20 "${search[@]}" -fsyntax-only -x c++ - 2>/dev/null
        ;;
    esac
}

# Looks for what the command line needs by using it, whoever installed it; what is missing comes from apt-get where that is allowed.
cli_requirements() {
    local need how name debian pypi conda missing=() lines=()
    if [ "${KEEPSET_SKIP_SYSTEM_PACKAGES:-0}" = 1 ]; then
        say "not looked at (KEEPSET_SKIP_SYSTEM_PACKAGES=1)"
        return
    fi
    for need in "${CLI_NEEDS[@]}"; do
        IFS='|' read -r how name debian pypi conda <<<"$need"
        is_met "$how" && continue
        missing+=("$debian")
        lines+=("  $name: Debian $debian, $([ "$pypi" = - ] && printf 'not on PyPI' || printf 'PyPI %s' "$pypi"), conda-forge $conda")
    done
    if [ ${#missing[@]} = 0 ]; then
        say "compiler, tools and headers are there"
        return
    fi
    if system_is_known "$(system_name)" && command -v dpkg-query >/dev/null && { [ "$(id -u)" = 0 ] || can_sudo; }; then
        make_cache
        install_packages "$keepset_cache/apt.log" "${missing[@]}"
        return
    fi
    say "missing here:"
    printf '%s\n' "${lines[@]}"
    fail "the command line needs the ${#missing[@]} named above: install them in any of these ways (no root: 'conda install -c conda-forge …' and activate it, or your cluster's modules), then run this again."
}
