#!/usr/bin/env python3
"""Checks the manual's recipe for a policy: one file and one line, and everybody finds it.

usage: check_recipe.py SOURCE BUILD
one_policy_more.patch is applied to a copy of the sources, which is configured anew, so that the build has to find the file
by its line. What changes is compiled there and linked with what BUILD has; the programs must then know the policy.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

PATCH = pathlib.Path(__file__).with_name("one_policy_more.patch")
NAME, PARAMETER = "half-and-half", "newest"
TREE = ["app", "core", "kernels", "packaging", "resources", "tests", "ui", "CMakeLists.txt", "CMakePresets.json"]
CACHED = re.compile(r"^((?:KEEPSET_\w+|CMAKE_(?:BUILD_TYPE|CXX_COMPILER|CXX_FLAGS|CUDA_COMPILER)|CUDAToolkit_ROOT)):(\w+)=(.*)$", re.M)


def run(*command, cwd=None, codes=(0,), environment=None):
    done = subprocess.run([str(word) for word in command], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, env=environment, check=False)
    if done.returncode not in codes:
        told = (done.stdout + done.stderr)[-3000:]
        raise SystemExit(f"{' '.join(str(word) for word in command)} ended with {done.returncode}:\n{told}")
    return done.stdout


def check_patch():
    """One new file, and one line more in another."""
    files = re.split(r"^diff --git ", PATCH.read_text(), flags=re.M)[1:]
    new = [file for file in files if "\nnew file mode" in file]
    other = [file for file in files if "\nnew file mode" not in file]
    lines = [line for file in other for line in re.findall(r"^[+-](?![+-]).*$", file, flags=re.M)]
    assert len(new) == 1 and len(other) == 1, "the patch is one new file and a change of another"
    assert len(lines) == 1 and lines[0].startswith("+KEEPSET_POLICY("), f"the change is one line more: {lines}"


def configured(source, build, tree):
    for name in TREE:
        copy = shutil.copytree if (source / name).is_dir() else shutil.copy2
        copy(source / name, tree / name)
    run("git", "apply", "--whitespace=nowarn", PATCH, cwd=tree)
    cache = CACHED.findall((build / "CMakeCache.txt").read_text())
    options = [f"-D{name}:{kind}={value}" for name, kind, value in cache if kind not in ("INTERNAL", "STATIC")]
    run("cmake", "-S", tree, "-B", tree / "build", "-G", "Ninja", *options)
    return tree / "build"


def objects_of(build):
    """The objects of what the patch touches: the new file's, and those that read the list of policies."""
    known = run("ninja", "-C", build, "-t", "targets", "all")
    wanted = [re.search(rf"^(core/\S*/policy/{name}\.cpp\.o):", known, re.M) for name in ("half_and_half", "table")]
    assert all(wanted), "the build finds the new file by its line"
    names = [found.group(1) for found in wanted]
    run("ninja", "-C", build, *names)
    return [build / name for name in names]


def linked(build, program, objects, to):
    command = run("ninja", "-C", build, "-t", "commands", f"bin/{program}").strip().splitlines()[-1]
    out = f" -o bin/{program} "
    assert out in command, f"the command that links {program} is known: {command[:200]}"
    more = " ".join(f"'{name}'" for name in objects)
    run("bash", "-c", command.replace(out, f" {more} -o '{to / program}' "), cwd=build)
    return to / program


def check_programs(source, build, objects, to):
    # Beside the module of CUDA kernels, where there is one, as the programs expect it.
    for module in (build / "bin").glob("*.so"):
        (to / module.name).symlink_to(module)
    cli = linked(build, "keepset-cli", objects, to)
    assert re.search(rf"^{NAME}\b", run(cli, "policies"), re.M), "`policies` lists it"
    assert PARAMETER in run(cli, "policies", NAME), "`policies NAME` tells of its parameter"
    demo = source / "resources" / "demo"
    swept = run(cli, "sweep", demo / "model", "--text", demo / "demo.txt", "--policies", f"{NAME}({PARAMETER}=0.25)",
                "--sparsity", "0.5", "--context", "64", "--target", "9", "--windows", "2", "--device", "cpu", "--json", "--quiet",
                codes=(0, 1))
    found = [point for point in json.loads(swept)["points"] if point["policy"] == f"{NAME}({PARAMETER}=0.25)"]
    assert found and found[0]["perplexity"] > 1, "a sweep measures it"
    # The generic tests keep it to every promise, and ask for the one thing the patch lacks: its row in the manual.
    told = run(linked(build, "tst_core", objects, to), "tst_policy_table", codes=range(256))
    assert f"every_policy_selects_in_every_model_shape_granularity_and_reduction({NAME})" in told, "tests look at it"
    failures = re.findall(r"^FAIL!.*?$", told, re.M)
    assert len(failures) == 1 and f"({NAME})" in failures[0] and "the manual's table of policies lacks it" in failures[0], told



def check_window(build, objects, to):
    if not (build / "bin" / "tst_ui").exists():
        print("skipped: a form of the window (this build has no window)")
        return
    program = linked(build, "tst_ui", objects, to)
    told = run(program, "tst_policy_chips", f"every_policy_of_the_table_has_a_form:{NAME}",
               environment={**os.environ, "QT_QPA_PLATFORM": "offscreen"})
    assert f"PASS   : TestPolicyChips::every_policy_of_the_table_has_a_form({NAME})" in told, told


def main():
    source, build = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
    check_patch()
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        (place / "tree").mkdir()
        (place / "bin").mkdir()
        objects = objects_of(configured(source, build, place / "tree"))
        check_programs(source, build, objects, place / "bin")
        check_window(build, objects, place / "bin")
    print(f"{NAME}: one file and one line, found by policies, a sweep, the generic tests and a form of the window")


if __name__ == "__main__":
    main()
