#!/usr/bin/env python3
"""Checks the shape of the source tree: which part may include what, the top-level entries, the length of files.

    check_includes.py ROOT          lists what breaks a rule; exit status 1 when anything does
    check_includes.py --self-test   plants one violation of every rule into an empty tree and expects it to be found

The direction is app -> ui -> core -> kernels. Only the Python standard library is used.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

ENTRIES = {"CMakeLists.txt", "CMakePresets.json", "README.md", "CONTRIBUTING.md", "LICENSE",
           "app", "core", "kernels", "ui", "resources", "tests", "packaging"}
SOURCES = {".h", ".cpp", ".cu", ".cuh"}
LONGEST_FILE = 400
LONGEST_TEST = 600  # cases of one thing belong together

TORCH = r"<(torch|ATen|c10|caffe2)/"
QT = r"<(Q[A-Za-z0-9/]*|q[a-z_]+\.h|Qt[A-Za-z]+/.*)>"
HDF5 = r"<(hdf5|H5[A-Za-z]+|hdf5_hl)(\.h)?>"
OUR_PUBLIC = r'"core/(?!(maximum|sha256|words)\.h)[a-z_]+\.h"'
OUR_SHARED = r'"core/[a-z_]+\.h"'
OUR_CORE = r'"core/'
# Core's rooms from the bottom up: each includes only those before it. What lies in core/ itself (public headers, words, names)
# belongs to all rooms and includes none; core/engine.cpp is above them.
ROOMS = ["device", "model", "tokenizer", "attention", "pass", "policy", "trace", "sweep", "audit", "bench"]

# (name, files it holds for, what they may not include, exception): patterns on the path and on what follows #include.
RULES = [
    ("kernels know no Torch", r"^kernels/", TORCH, None),
    ("kernels know no Qt", r"^kernels/", QT, None),
    ("kernels know no HDF5", r"^kernels/", HDF5, None),
    ("kernels know nothing above them", r"^kernels/", r'"(core|ui|app)/', None),
    ("core knows no Qt", r"^core/", QT, None),
    ("core knows nothing above it", r"^core/", r'"(ui|app)/', None),
    ("core's public headers hide Torch", r"^core/[a-z_]+\.h$", TORCH, None),
    ("core's public headers hide HDF5", r"^core/[a-z_]+\.h$", HDF5, None),
    ("core's public headers include only one another", r"^core/[a-z_]+\.h$", r'"', OUR_PUBLIC),
    ("what all rooms of core share includes none of them", r"^core/(?!engine\.)[a-z_]+\.cpp$", OUR_CORE, OUR_SHARED),
    ("nobody in core includes the facade", r"^core/(?!engine\.cpp$)", r'"core/engine\.h"', None),
    ("Torch stays where tensors are", r"^core/(?!(device|model|attention|pass|policy|bench|sweep)/|engine\.cpp)", TORCH, None),
    ("HDF5 stays in trace", r"^core/(?!trace/)", HDF5, None),
    ("ui sees only core's public headers", r"^ui/", OUR_CORE, OUR_PUBLIC),
    ("ui does not reach past core", r"^ui/", r'"(kernels|app)/', None),
    ("ui knows no Torch", r"^ui/", TORCH, None),
    ("ui knows no HDF5", r"^ui/", HDF5, None),
    ("app sees only core's public headers", r"^app/", OUR_CORE, OUR_PUBLIC),
    ("app knows no Torch", r"^app/", TORCH, None),
    ("app knows no HDF5", r"^app/", HDF5, None),
    ("the command line links no Qt", r"^app/(?!main\.cpp|window)", QT, None),
    ("the command line knows no window", r"^app/(?!main\.cpp|window)", r'"ui/', None),
    ("nobody includes tests", r"^(app|ui|core|kernels)/", r'"tests/', None),
    ("our headers are named from the root", r"^(app|ui|core|kernels)/", r'"\.\.?/', None),
]
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<].*[">])')


def room_of(path):
    """The room of core that a path lies in, None outside of them."""
    parts = path.split("/")
    return parts[1] if len(parts) > 2 and parts[0] == "core" else None


def room_problem(path, included):
    """What is wrong with an include between two rooms of core, None if nothing is."""
    here, there = room_of(path), room_of(included.strip('"'))
    if here is None or there is None or here == there:
        return None
    if here not in ROOMS or there not in ROOMS:
        return "no such room is foreseen in core"
    return None if ROOMS.index(there) < ROOMS.index(here) else "a room of core includes only rooms below it"


def include_problems(path, text):
    """Rules broken by the includes of one file (path from the root)."""
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        for name, files, forbidden, allowed in RULES:
            if re.search(files, path) and re.match(forbidden, match[1]) and not (allowed and re.match(allowed, match[1])):
                yield f"{path}:{number}: {match[1]}: {name}"
        if problem := room_problem(path, match[1]):
            yield f"{path}:{number}: {match[1]}: {problem}"


def tracked_files(root):
    """Paths from the root: those git knows or would add, or, outside a repository, all but build/."""
    git = subprocess.run(["git", "-C", str(root), "ls-files", "--cached", "--others", "--exclude-standard"],
                         capture_output=True, text=True)
    if git.returncode == 0 and git.stdout:
        return [line for line in git.stdout.splitlines() if (root / line).is_file()]
    return [str(p.relative_to(root)) for p in sorted(root.rglob("*"))
            if p.is_file() and p.relative_to(root).parts[0] not in ("build", ".git")]


def problems(root):
    """Every broken rule in a tree."""
    files = tracked_files(root)
    for entry in sorted({f.split("/")[0] for f in files}):
        if entry not in ENTRIES and not entry.startswith("."):
            yield f"{entry}: no such top-level entry is foreseen"
    for path in files:
        if pathlib.PurePath(path).suffix not in SOURCES:
            continue
        text = (root / path).read_text(encoding="utf-8")
        yield from include_problems(path, text)
        lines = text.count("\n")
        longest = LONGEST_TEST if path.startswith("tests/") else LONGEST_FILE
        if lines > longest:
            yield f"{path}: {lines} lines, more than {longest}: split it by responsibility"


PLANTED = [
    ("kernels/a.cu", "#include <ATen/ATen.h>"), ("kernels/a.h", "#include <QString>"), ("kernels/a.cpp", "#include <hdf5.h>"),
    ("kernels/a.cpp", '#include "core/run.h"'), ("core/a.cpp", "#include <QtCore/QString>"),
    ("core/a.cpp", '#include "ui/session.h"'), ("core/engine.h", "#include <torch/torch.h>"),
    ("core/run.h", "#include <hdf5.h>"), ("core/engine.h", '#include "core/model/config.h"'),
    ("core/audit/checks.cpp", "#include <ATen/Tensor.h>"), ("core/engine.cpp", "#include <hdf5.h>"),
    ("ui/a.cpp", '#include "core/model/config.h"'), ("ui/a.cpp", '#include "core/words.h"'), ("ui/a.cpp", '#include "kernels/shapes.h"'),
    ("ui/a.cpp", "  #  include <c10/core/Device.h>"), ("ui/a.cpp", "#include <H5Fpublic.h>"),
    ("app/main.cpp", '#include "core/sweep/sweep.h"'), ("app/main.cpp", "#include <torch/script.h>"),
    ("app/cli.cpp", "#include <hdf5.h>"), ("app/cli_sweep.cpp", "#include <QFile>"), ("app/cli.cpp", '#include "ui/a.h"'),
    ("core/a.cpp", '#include "tests/core/a.h"'), ("core/a.cpp", '#include "../kernels/shapes.h"'),
    ("core/words.cpp", '#include "core/model/config.h"'), ("core/sweep/a.cpp", '#include "core/engine.h"'),
    ("core/model/a.cpp", '#include "core/attention/attend.h"'), ("core/trace/a.cpp", '#include "core/sweep/sweep.h"'),
    ("core/cellar/a.cpp", '#include "core/model/config.h"'),
    ("docs/page.md", "text"), ("core/long.cpp", "int x;\n" * (LONGEST_FILE + 1)),
    ("tests/core/tst_long.cpp", "int x;\n" * (LONGEST_TEST + 1)),
]
CLEAN = {
    "README.md": "text", ".clang-format": "text", "kernels/a.cu": "#include <cuda_runtime.h>\n",
    "core/engine.h": '#include "core/run.h"\n#include <vector>\n', "core/engine.cpp": '#include <ATen/Tensor.h>\n#include "core/sweep/sweep.h"\n',
    "core/trace/file.cpp": "#include <hdf5.h>\n", "core/sweep/run.cpp": '#include "kernels/shapes.h"\n#include "core/pass/a.h"\n#include "core/run.h"\n#include <c10/core/Device.h>\n',
    "ui/a.cpp": '#include "core/engine.h"\n#include "ui/b.h"\n#include <QtCharts/QChart>\n',
    "app/main.cpp": '#include "ui/a.h"\n#include <QApplication>\n', "app/cli.cpp": '#include "core/engine.h"\n',
    "tests/core/tst_a.cpp": '#include "core/model/config.h"\n#include <QtTest>\n// #include <nothing>\n',
}


def write_tree(root, files):
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def self_test():
    """Every planted violation is found, each rule has one, and a clean tree has none."""
    failed = 0
    found_rules = set()
    for path, text in PLANTED:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            write_tree(root, {**CLEAN, path: text + "\n"})
            found = list(problems(root))
            found_rules.update(name for name, *_ in RULES if any(f.endswith(": " + name) for f in found))
            if not any(f.startswith(path.split("/")[0]) for f in found):
                print(f"not found: {path}: {text[:60]}")
                failed += 1
    for name, *_ in RULES:
        if name not in found_rules:
            print(f"no violation is planted for: {name}")
            failed += 1
    with tempfile.TemporaryDirectory() as folder:
        write_tree(pathlib.Path(folder), CLEAN)
        for problem in problems(pathlib.Path(folder)):
            print(f"found in a clean tree: {problem}")
            failed += 1
    print(f"{len(PLANTED)} planted, {failed} wrong")
    return failed


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if sys.argv[1] == "--self-test":
        sys.exit(1 if self_test() else 0)
    found = list(problems(pathlib.Path(sys.argv[1])))
    print("\n".join(found) if found else "the tree has its shape")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
