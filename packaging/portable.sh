#!/usr/bin/env bash
# Makes an archive that runs on another x86-64 Linux with the same or a newer glibc and the Python package torch: programs,
# their libraries (Qt, ICU, HDF5, OpenSSL, libGL, …) and a launcher. Torch, NVIDIA's libraries, glibc and libstdc++ are the
# other machine's own.
#   packaging/portable.sh [--with-demo] BUILD_FOLDER [ARCHIVE]      e.g. build/release; ARCHIVE: build/keepset-portable.tar.xz
# There: tar xf keepset-portable.tar.xz && keepset-portable/keepset.sh [PROGRAM ARGUMENTS…]
set -euo pipefail

fail() { echo "portable.sh: $1" >&2; exit 2; }

with_demo=no
if [ "${1:-}" = --with-demo ]; then
    with_demo=yes
    shift
fi
[ $# -ge 1 ] && [ $# -le 2 ] || fail "say which build folder: packaging/portable.sh [--with-demo] build/release [ARCHIVE]"
source_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
programs=$1/bin
archive=${2:-$source_folder/build/keepset-portable.tar.xz}
[ -d "$programs" ] || fail "there is no '$programs': build first"
for tool in ldd strip xz tar; do
    command -v $tool > /dev/null || fail "'$tool' is missing: install binutils, xz-utils and tar"
done

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
root=$stage/keepset-portable
mkdir -p "$root/bin" "$root/lib" "$root/plugins"

is_elf() { [ -f "$1" ] && [ "$(head -c 4 "$1" | tail -c 3)" = ELF ]; }

for file in "$programs"/*keepset*; do # not the tests, which lie there too
    if is_elf "$file"; then
        cp -L "$file" "$root/bin/"
    fi
done
[ -n "$(ls -A "$root/bin")" ] || fail "'$programs' has no programs: build first"

# Qt finds its plugins by name at run time, so ldd does not see them. (awk reads to the end: a closed pipe would end ldd, and
# with it this script.)
qt_core=$(ldd "$root"/bin/* 2> /dev/null | awk '/libQt6Gui/ && !found { print $3; found = 1 }' || true)
if [ -n "$qt_core" ]; then
    plugins=$(qmake6 -query QT_INSTALL_PLUGINS 2> /dev/null || echo "$(dirname "$qt_core")/qt6/plugins")
    [ -d "$plugins" ] || fail "Qt's plugins were not found in '$plugins'"
    for name in platforms/libqoffscreen platforms/libqminimal platforms/libqxcb platforms/libqwayland-egl \
        platforms/libqwayland-generic wayland-shell-integration/libxdg-shell xcbglintegrations/libqxcb-glx-integration \
        xcbglintegrations/libqxcb-egl-integration imageformats/libqsvg iconengines/libqsvgicon; do
        if [ -f "$plugins/$name.so" ]; then
            mkdir -p "$root/plugins/$(dirname "$name")"
            cp -L "$plugins/$name.so" "$root/plugins/$name.so"
        fi
    done
fi

# ldd lists the libraries of libraries too. Left out: what Torch's packages, the driver, glibc and the compiler's run time bring.
not_ours='^(libtorch|libc10|libcaffe2|libcu|libnv|libnccl|libgomp|ld-linux|libc\.|libm\.|libmvec|libpthread|libdl\.|librt\.'
not_ours+='|libresolv|libutil\.|libanl|libstdc\+\+|libgcc_s)'
find "$root/bin" "$root/plugins" -type f -exec ldd {} + 2> /dev/null | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u |
    while read -r library; do
        if ! basename "$library" | grep -qE "$not_ours"; then
            cp -L "$library" "$root/lib/"
        fi
    done
# libGL and libEGL of GLVND look for the vendor's part at run time.
find "$root" -type f -exec strip --strip-unneeded {} + 2> /dev/null

if [ $with_demo = yes ]; then
    cp -R "$source_folder/resources" "$root/resources"
fi

cat > "$root/env.sh" << 'END'
# Sourced by keepset.sh: where the programs of this folder find their libraries. KEEPSET_TORCH_DIR names another torch folder.
keepset_home=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
keepset_torch=${KEEPSET_TORCH_DIR:-$(python3 -c 'import torch; print(torch.__path__[0])' 2> /dev/null)}
if [ ! -f "$keepset_torch/lib/libtorch_cpu.so" ]; then
    echo "keepset: LibTorch was not found: install it (pip install torch==2.11.0) or set KEEPSET_TORCH_DIR to the folder of the package torch." >&2
    false
else
    keepset_libraries=$keepset_home/lib:$keepset_torch/lib
    for keepset_folder in "$keepset_torch"/../nvidia/*/lib; do
        if [ -d "$keepset_folder" ]; then
            keepset_libraries=$keepset_libraries:$keepset_folder
        fi
    done
    export LD_LIBRARY_PATH=$keepset_libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    export QT_PLUGIN_PATH=$keepset_home/plugins
fi
END

cat > "$root/keepset.sh" << 'END'
#!/usr/bin/env bash
# keepset.sh [PROGRAM ARGUMENTS…]: runs a program of bin/ (the window where none is named) with the libraries beside it.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/env.sh" || exit 3
if [ $# -gt 0 ] && [ -f "$here/bin/$1" ]; then
    program=$1
    shift
else
    program=keepset
fi
exec "$here/bin/$program" "$@"
END
chmod +x "$root/keepset.sh"

mkdir -p "$(dirname "$archive")"
tar -C "$stage" -cf - keepset-portable | xz -T0 -6 > "$archive.part"
mv "$archive.part" "$archive"
echo "$archive: $(du -h "$archive" | cut -f1), $(ls "$root/bin" | wc -l) programs, $(ls "$root/lib" | wc -l) libraries" \
    "($(du -sh "$root" | cut -f1) unpacked)"
