#!/usr/bin/env python3
"""Tests packaging/setup.sh with stand-ins for the system's tools: what it installs, and its one-sentence failures."""
import os
import pathlib
import subprocess
import tempfile
import unittest

SETUP = pathlib.Path(__file__).resolve().parents[2] / "packaging" / "setup.sh"
PIP_FAILS = """case "$*" in *pip*) echo "ERROR: No matching distribution found for torch==2.11.0"; exit 1;; esac\n"""
PIP_WORKS = """while [ $# -gt 0 ]; do [ "$1" = --target ] && t=$2; shift; done
[ -z "$t" ] || { mkdir -p "$t/torch/lib"; touch "$t/torch/lib/libtorch_cpu.so"; echo "__version__ = '2.11.0+cu130'" > "$t/torch/version.py"; }\n"""


class Setup(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)
        self.tools = self.root / "bin"
        self.tools.mkdir()
        self.tool("dpkg-query", "echo 'ii g++'")
        self.tool("nvidia-smi", "exit 9")
        self.tool("uname", "echo x86_64")
        self.tool("python3", PIP_FAILS)
        self.system("ID=debian\nVERSION_ID=\"12\"\n")
        self.environment = {"PATH": f"{self.tools}:/usr/bin:/bin", "HOME": str(self.root), "KEEPSET_CACHE": str(self.root / "cache"),
                            "KEEPSET_OS_RELEASE": str(self.root / "os-release"), "KEEPSET_SKIP_SYSTEM_PACKAGES": "1",
                            "KEEPSET_GPU": "0"}  # whatever machine the test runs on

    def tearDown(self):
        self.folder.cleanup()

    def tool(self, name, script):
        path = self.tools / name
        path.write_text("#!/bin/bash\n" + script + "\n")
        path.chmod(0o755)

    def system(self, text):
        (self.root / "os-release").write_text(text)

    def torch(self, version):
        folder = self.root / "mine" / "torch"
        (folder / "lib").mkdir(parents=True)
        (folder / "lib" / "libtorch_cpu.so").touch()
        (folder / "version.py").write_text(f"__version__ = '{version}'\n")
        return str(folder)

    def run_setup(self, **more):
        """Runs setup.sh; an empty value unsets a variable."""
        environment = {k: v for k, v in {**self.environment, **more}.items() if v}
        return subprocess.run(["bash", str(SETUP)], env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)

    def assert_one_sentence(self, result, *parts):
        self.assertNotEqual(result.returncode, 0, result.stdout)
        lines = result.stderr.strip().splitlines()
        self.assertEqual(len(lines), 1, result.stderr)
        self.assertTrue(lines[0].startswith("keepset: "), lines[0])
        for part in parts:
            self.assertIn(part, lines[0])

    def test_an_unknown_system_is_told_what_to_install(self):
        for name in ("ID=fedora\nVERSION_ID=41\n", "ID=debian\nVERSION_ID=\"11\"\n", "ID=ubuntu\nVERSION_ID=\"22.04\"\n", ""):
            self.system(name)
            self.assert_one_sentence(self.run_setup(KEEPSET_SKIP_SYSTEM_PACKAGES=""), "libhdf5-dev", "by hand")

    def test_missing_packages_without_root_name_the_command(self):
        self.tool("id", "echo 1000")
        self.tool("sudo", "exit 1")
        result = self.run_setup(KEEPSET_SKIP_SYSTEM_PACKAGES="")
        self.assert_one_sentence(result, "apt-get install cmake", "as root")
        self.assertNotIn("g++", result.stderr)

    def test_only_missing_packages_are_installed(self):
        self.tool("id", "echo 0")
        self.tool("apt-cache", "[ $2 = libqt6opengl6-dev ] && exit; [ $2 = qt6-svg-dev ] && echo 'Candidate: (none)' && exit; echo '  Candidate: 1.0'; seq 99999")  # long, as a real answer is
        self.tool("apt-get", f"echo \"$@\" >> {self.root}/asked")
        self.run_setup(KEEPSET_SKIP_SYSTEM_PACKAGES="")
        asked = (self.root / "asked").read_text().splitlines()[-1].split()
        self.assertIn("cmake", asked)
        self.assertIn("libqt6svg6-dev", asked)  # Ubuntu's name for what this system has no qt6-svg-dev for
        self.assertNotIn("libqt6opengl6-dev", asked)  # no such package: not needed
        self.assertNotIn("g++", asked)

    def test_no_network_for_packages_is_one_sentence(self):
        self.tool("id", "echo 0")
        self.tool("apt-get", "[ $1 = update ] || { echo 'E: Unable to fetch some archives'; exit 100; }")
        self.assert_one_sentence(self.run_setup(KEEPSET_SKIP_SYSTEM_PACKAGES=""), "Unable to fetch", "check the network")

    def test_no_network_for_torch_is_one_sentence_and_leaves_nothing(self):
        self.assert_one_sentence(self.run_setup(), "No matching distribution", "check the network")
        left = [p.name for p in (self.root / "cache").iterdir() if p.is_dir()]
        self.assertEqual(left, [])

    def test_too_little_space_is_one_sentence(self):
        self.tool("df", "printf 'h\\nx 1 1 1000000 1%% /\\n'")
        self.assert_one_sentence(self.run_setup(), "4 GB of free space", "has 1 GB", "KEEPSET_CACHE")

    def test_a_cache_that_cannot_be_written_is_one_sentence(self):
        (self.root / "cache").write_text("a file")
        self.assert_one_sentence(self.run_setup(), "KEEPSET_CACHE")

    def test_a_wrong_torch_is_refused_with_its_version(self):
        self.assert_one_sentence(self.run_setup(KEEPSET_TORCH_DIR=self.torch("2.4.1+cpu")), "2.4.1+cpu", "KEEPSET_TORCH_DIR")

    def test_a_named_torch_is_used_as_it_is(self):
        result = self.run_setup(KEEPSET_TORCH_DIR=self.torch("2.11.0+cpu"))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertFalse((self.root / "cache").exists())

    def test_the_torch_of_python_is_used_when_it_fits(self):
        self.tool("python3", f"echo {self.torch('2.11.1+cu130')}")
        result = self.run_setup()
        self.assertIn("of python3 is used", result.stdout)
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_a_gpu_asks_for_the_full_set(self):
        result = self.run_setup(KEEPSET_GPU="1")
        self.assertIn("full set", result.stdout)
        self.assertIn("CPU set", self.run_setup().stdout)

    def test_a_second_run_downloads_nothing(self):
        self.tool("python3", PIP_WORKS)
        self.assertEqual(self.run_setup().returncode, 0)
        self.tool("python3", PIP_FAILS)
        result = self.run_setup()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("torch 2.11.0+cu130", result.stdout)

    def test_a_cut_off_download_is_begun_again(self):
        part = self.root / "cache" / "torch-2.11.0-cpu.part" / "torch"
        part.mkdir(parents=True)
        self.tool("python3", PIP_WORKS)
        self.assertEqual(self.run_setup().returncode, 0)
        self.assertFalse(part.parent.exists())


if __name__ == "__main__":
    unittest.main()
