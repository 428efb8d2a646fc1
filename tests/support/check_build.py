#!/usr/bin/env python3
"""Tests the build part of packaging/: what run.sh and test.sh ask to be built, the line of progress, the first error."""
import unittest

from script_case import PIP_WORKS, ScriptCase

SOURCE = '. packaging/setup.sh; . packaging/build.sh; keepset_root=$PWD; '
NINJA = "[1/4] Building CXX object a.cpp.o\n[2/4] Building CXX object b.cpp.o\n"
BROKEN = NINJA + """FAILED: core/x.cpp.o
/usr/bin/c++ -Wno-error=deprecated -c core/x.cpp
In file included from core/y.h:3:
core/x.cpp:7:5: error: 'foo' was not declared in this scope
    7 |     foo();
      |     ^~~
[3/4] Building CXX object c.cpp.o
core/z.cpp:1:1: error: a second one
ninja: build stopped: subcommand failed.
"""


class Build(ScriptCase):
    def setUp(self):
        super().setUp()
        self.tool("python3", PIP_WORKS)
        self.tool("nproc", "echo 2")
        # Configures and builds in words only; a built program notes that it ran.
        self.tool("cmake", f"""echo "$*" >> {self.root}/asked
case $* in *--build*) cat {self.root}/ninja; exit $(cat {self.root}/status);; esac
for preset; do :; done; b=build/$2/bin; mkdir -p $b; touch build/$2/build.ninja
for p in keepset keepset-cli; do printf '#!/bin/bash\\necho ran '$p' $1\\n' > $b/$p; chmod +x $b/$p; done""")
        self.ninja(NINJA, 0)

    def ninja(self, words, status):
        (self.root / "ninja").write_text(words)
        (self.root / "status").write_text(str(status))

    def asked(self):
        return (self.root / "asked").read_text().splitlines()

    def bash(self, script, **more):
        return self.run_script(f"cd {self.tree}; {SOURCE}{script}", **more)

    def test_run_builds_the_two_programs_alone_and_opens_the_window(self):
        result = self.run_script("run.sh", DISPLAY=":0")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue(self.asked()[-1].endswith("--target keepset keepset-cli"), self.asked())
        self.assertIn("-DKEEPSET_CUDA=OFF", self.asked()[0])
        self.assertIn("ran keepset", result.stdout.splitlines()[-1])

    def test_the_cuda_module_is_built_where_a_gpu_is(self):
        nvcc = self.tools / "nvcc"
        self.tool("nvcc", "echo 'Cuda compilation tools, release 13.0, V13.0.88'")
        self.tool("python3", PIP_WORKS.replace("libtorch_cpu.so\"", "libtorch_cpu.so\" \"$t/torch/lib/libtorch_cuda.so\""))
        self.tool("df", "printf 'h\\nx 1 1 99000000 1%% /\\n'")
        self.run_script("run.sh", DISPLAY=":0")
        self.assertNotIn("keepset_cuda", self.asked()[-1])  # an nvcc alone is no reason
        result = self.run_script("run.sh", DISPLAY=":0", KEEPSET_GPU="1")
        self.assertTrue(self.asked()[-1].endswith("--target keepset keepset-cli keepset_cuda"), result.stdout + result.stderr)
        self.assertIn(f"-DCMAKE_CUDA_COMPILER={nvcc}", self.asked()[-2])

    def test_cli_builds_the_command_line_alone_without_pictures(self):
        result = self.run_script("run.sh", "--cli")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue(self.asked()[-1].endswith("--target keepset-cli"), self.asked())
        self.assertIn("--preset cli", self.asked()[0])
        self.assertIn("ran keepset-cli audit", result.stdout)
        self.assertNotIn("Pictures", result.stdout)

    def test_tests_go_on_from_the_build_of_run(self):
        self.tool("git", "true")
        self.tool("ctest", f"echo ctest \"$2\" >> {self.root}/asked; echo '100% tests passed'")
        self.run_script("run.sh", DISPLAY=":0")
        before = len(self.asked())
        result = self.run_script("test.sh")
        self.assertEqual(result.returncode, 0, result.stderr)
        more = self.asked()[before:]
        self.assertEqual(len(more), 2, more)  # no second configuration: the same folder, the same flags
        self.assertIn("build/release", more[0])
        self.assertNotIn("--target", more[0])
        self.assertIn("build/release", more[1])

    def test_warnings_are_errors_where_asked_in_a_folder_of_their_own(self):
        self.tool("git", "true")
        self.tool("ctest", "echo '100% tests passed'")
        self.run_script("test.sh", KEEPSET_WERROR="1")
        self.assertIn("--preset ci", self.asked()[0])

    def test_a_failing_test_fails_the_script(self):
        self.tool("git", "true")
        self.tool("ctest", "echo '50% tests passed'; exit 8")
        result = self.run_script("test.sh")
        self.assertEqual(result.returncode, 8, result.stdout)
        self.assertIn("FAILED", result.stdout.splitlines()[-1])

    def test_progress_is_a_line_every_half_minute_and_the_log_has_everything(self):
        result = self.run_script("run.sh", DISPLAY=":0", KEEPSET_PROGRESS_S="0")
        self.assertIn("1 of 4\n2 of 4\n", result.stdout)
        self.assertNotIn("a.cpp.o", result.stdout)
        self.assertEqual((self.tree / "build" / "release" / "build.log").read_text(), NINJA)
        self.assertNotIn("1 of 4", self.run_script("run.sh", DISPLAY=":0").stdout)  # done before half a minute was over

    def test_the_time_left_is_said(self):
        result = self.bash("{ echo '[1/3] Building CXX a'; sleep 6; echo '[2/3] Building CXX b'; } | KEEPSET_PROGRESS_S=0 show_progress")
        self.assertRegex(result.stdout.splitlines()[-1], r"^2 of 3, [34] s left$")

    def test_a_failed_build_shows_its_first_error(self):
        self.ninja(BROKEN, 1)
        result = self.run_script("run.sh", DISPLAY=":0")
        self.assertNotEqual(result.returncode, 0)
        lines = result.stderr.splitlines()
        self.assertEqual(lines[0], "core/x.cpp:7:5: error: 'foo' was not declared in this scope")
        self.assertIn("build.log", lines[-1])
        self.assertNotIn("ran keepset", result.stdout)

    def test_a_linker_that_fails_is_shown_too(self):
        for error in ("/usr/bin/ld: x.o: undefined reference to `f()'", "c++: fatal error: Killed signal terminated program cc1plus"):
            self.ninja(NINJA + f"FAILED: bin/keepset\n: && c++ x.o\n{error}\nninja: build stopped\n", 1)
            self.assertEqual(self.run_script("run.sh", DISPLAY=":0").stderr.splitlines()[0], error)


if __name__ == "__main__":
    unittest.main()
