#!/usr/bin/env python3
"""Looks for functions that an object compiled for wide instructions gives to the whole program.

    check_vector_objects.py FILE.o …   exit status 1 where one of the *_avx* objects among them has a weak symbol

kernels/*_avx2.cpp and *_avx512.cpp are compiled for instructions that not every processor has, and chosen at run time. An
inline function of a shared header that is emitted there, and not inlined, is a weak symbol: the linker keeps one copy of it
for everybody, which may be the one that other processors cannot run (SIGILL).
"""
import pathlib
import subprocess
import sys

WEAK = set("wWvVu")  # of nm: weak, and unique to the program


def weak_symbols(file):
    names = subprocess.run(["nm", "-C", str(file)], capture_output=True, text=True, check=True).stdout
    lines = [line.split(maxsplit=2) if line[:1] != " " else ["", *line.split(maxsplit=1)] for line in names.splitlines() if line.strip()]
    return [line[2] for line in lines if len(line) == 3 and line[1] in WEAK]


def main():
    files = [pathlib.Path(name) for name in sys.argv[1:] if "_avx" in pathlib.Path(name).name]
    if not files:
        print("no object for wide instructions: nothing to look at")
        return 0
    found = [f"{file.name}: {name}" for file in files for name in weak_symbols(file)]
    print("\n".join(found) if found else f"{len(files)} objects give nothing to others")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
