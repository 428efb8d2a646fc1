#!/usr/bin/env python3
"""Tests packaging/setup.sh with stand-ins for the system's tools: what it installs, and its one-sentence failures."""
import shutil
import unittest

from script_case import PIP_FAILS, PIP_WORKS, ScriptCase

SUDO = """list=; while [ $# -gt 0 ]; do case $1 in -n) ;; --preserve-env=*) list=${1#*=};; *) break;; esac; shift; done
keep=("PATH=$PATH"); for name in ${list//,/ }; do [ -z "${!name}" ] || keep+=("$name=${!name}"); done; exec env -i "${keep[@]}" "$@\""""


class Setup(ScriptCase):
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

    def test_proxies_are_kept_under_sudo(self):
        self.tool("id", "echo 1000")
        self.tool("sudo", SUDO)  # it empties the environment, as sudo does
        self.tool("apt-get", f"echo \"$1 $https_proxy $NO_PROXY\" >> {self.root}/asked")
        self.run_setup(KEEPSET_SKIP_SYSTEM_PACKAGES="", https_proxy="http://proxy:3128", NO_PROXY="local")
        self.assertEqual((self.root / "asked").read_text().splitlines(), ["update http://proxy:3128 local", "install http://proxy:3128 local"])

    def test_lists_that_cannot_be_read_are_told_from_a_missing_package(self):
        self.tool("id", "echo 0")
        missing = "echo 'E: Unable to locate package cmake'; exit 100"
        for update in ("echo 'W: Failed to fetch http://deb/InRelease'; exit 0", "echo 'E: No route'; exit 100", "exit 3"):
            self.tool("apt-get", f"if [ $1 = update ]; then {update}; else {missing}; fi")
            self.assert_one_sentence(self.run_setup(KEEPSET_SKIP_SYSTEM_PACKAGES=""), "could not read the package lists", "proxy")
        self.tool("apt-get", f"[ $1 = update ] || {{ {missing}; }}")
        self.assert_one_sentence(self.run_setup(KEEPSET_SKIP_SYSTEM_PACKAGES=""), "Unable to locate package cmake", "package sources")

    def test_a_torch_for_another_cuda_is_not_taken_for_right(self):
        for version in ("2.11.0+cu126", "2.11.0+cu128"):
            torch = self.torch(version)
            self.tool("python3", f"case \"$*\" in *pip*) echo ERROR; exit 1;; esac; echo {torch}")
            result = self.run_setup(KEEPSET_GPU="1")
            self.assertIn(f"torch {version} was made for CUDA 12, and the GPU module needs CUDA 13", result.stdout)
            self.assertIn("downloading", result.stdout)
            self.assert_one_sentence(self.run_setup(KEEPSET_GPU="1", KEEPSET_TORCH_DIR=torch), version, "CUDA 13", "KEEPSET_GPU=0")
            self.assertIn("of python3 is used", self.run_setup().stdout)  # without a GPU any will do
            shutil.rmtree(self.root / "mine")

    def test_a_driver_too_old_is_said_before_gigabytes_are_downloaded(self):
        self.tool("nvidia-smi", "case $* in -L) echo 'GPU 0: NVIDIA H100';; *) echo 550.54.14;; esac")
        result = self.run_setup(KEEPSET_GPU="")
        self.assertIn("NVIDIA driver 550.54.14 is older than 580, which CUDA 13 needs", result.stdout)
        self.assertIn("CPU set", result.stdout)
        self.assertIn("full set", self.run_setup(KEEPSET_GPU="1").stdout)  # who insists gets it
        self.tool("nvidia-smi", "case $* in -L) echo 'GPU 0: NVIDIA H100';; *) echo 580.65.06;; esac")
        self.assertIn("full set", self.run_setup(KEEPSET_GPU="").stdout)

    def test_the_driver_is_read_from_the_kernel_too(self):
        (self.root / "nvidia" / "gpus" / "0000:01:00.0").mkdir(parents=True)
        for line, version in (("NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 19:39:15 UTC 2024", "535.183.01"),
                              ("NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build  (dvs-builder)", "570.86.15")):
            (self.root / "nvidia" / "version").write_text(line + "\nGCC version: 12.2.0\n")
            self.assertIn(f"NVIDIA driver {version} is older", self.run_setup(KEEPSET_GPU="").stdout)

    def test_settings_of_pip_do_not_stand_in_the_way(self):
        self.tool("python3", '[[ $* != *pip* ]] || [ "$PIP_USER" != 1 ] && [ "$PIP_REQUIRE_VIRTUALENV" != 1 ] || { echo "ERROR: Can not combine"; exit 1; }\n' + PIP_WORKS)
        result = self.run_setup(PIP_USER="1", PIP_REQUIRE_VIRTUALENV="1")
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_a_home_that_cannot_be_written_is_no_obstacle(self):
        self.tool("python3", PIP_WORKS)
        for home in ("/dev/null", ""):
            result = self.run_setup(HOME=home, KEEPSET_CACHE="")
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn(str(self.tree / "build" / "cache"), result.stdout)

    def test_the_command_line_needs_neither_qt_nor_root_where_its_headers_are(self):
        self.tool("id", "echo 1000")
        self.tool("sudo", "exit 1")
        self.tool("c++", "cat >/dev/null")  # finds every header
        self.tool("cmake", "echo cmake version 3.25.1")
        self.tool("ninja", "true")
        self.tool("python3", PIP_WORKS)
        for system in ("ID=debian\nVERSION_ID=12\n", "ID=rocky\nVERSION_ID=9.4\n"):
            self.system(system)
            result = self.run_setup("--cli", KEEPSET_SKIP_SYSTEM_PACKAGES="")
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
            self.assertIn("compiler, tools and headers are there", result.stdout)

    def test_what_the_command_line_misses_is_one_line_each(self):
        self.tool("id", "echo 1000")
        self.tool("sudo", "exit 1")
        self.tool("c++", "[[ $(cat) != *hdf5* ]]")
        self.tool("cmake", "echo cmake version 3.20.0")
        self.tool("ninja", "true")
        self.system("ID=rocky\nVERSION_ID=9.4\n")
        result = self.run_setup("--cli", KEEPSET_SKIP_SYSTEM_PACKAGES="", CONDA_PREFIX="")
        self.assert_one_sentence(result, "the 3 named above", "conda install")  # pip too: python3 fails here
        self.assertIn("  HDF5: Debian libhdf5-dev, not on PyPI, conda-forge hdf5\n", result.stdout)
        self.assertIn("  CMake 3.25 or later: Debian cmake, PyPI cmake, conda-forge cmake\n", result.stdout)
        self.assertNotIn("qt", result.stdout.lower())


if __name__ == "__main__":
    unittest.main()
