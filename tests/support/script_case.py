"""Runs the scripts of packaging/ in a folder of their own, with stand-ins for the system's tools."""
import pathlib
import shutil
import subprocess
import tempfile
import unittest

PACKAGING = pathlib.Path(__file__).resolve().parents[2] / "packaging"
PIP_FAILS = """case "$*" in *pip*) echo "ERROR: No matching distribution found for torch==2.11.0"; exit 1;; esac\n"""
PIP_WORKS = """while [ $# -gt 0 ]; do [ "$1" = --target ] && t=$2; shift; done
[ -z "$t" ] || { mkdir -p "$t/torch/lib"; touch "$t/torch/lib/libtorch_cpu.so"; echo "__version__ = '2.11.0+cu130'" > "$t/torch/version.py"; }\n"""


class ScriptCase(unittest.TestCase):
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
        # A tree of its own: what the scripts write into build/ is gone with it.
        self.tree = self.root / "tree"
        shutil.copytree(PACKAGING, self.tree / "packaging")
        self.environment = {"PATH": f"{self.tools}:/usr/bin:/bin", "HOME": str(self.root), "KEEPSET_CACHE": str(self.root / "cache"),
                            "KEEPSET_OS_RELEASE": str(self.root / "os-release"), "KEEPSET_SKIP_SYSTEM_PACKAGES": "1",
                            "KEEPSET_NVIDIA_FOLDER": str(self.root / "nvidia"),
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
        if "+cu" in version:
            (folder / "lib" / "libtorch_cuda.so").touch()
        (folder / "version.py").write_text(f"__version__ = '{version}'\n")
        return str(folder)

    def run_script(self, script, *arguments, **more):
        """Runs a script of packaging/, or what bash is to do (-c …); an empty value unsets a variable."""
        environment = {k: v for k, v in {**self.environment, **more}.items() if v}
        script = ["-c", script] if " " in script else [str(self.tree / "packaging" / script)]
        return subprocess.run(["bash", *script, *arguments], env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)

    def run_setup(self, *arguments, **more):
        return self.run_script("setup.sh", *arguments, **more)

    def assert_one_sentence(self, result, *parts):
        self.assertNotEqual(result.returncode, 0, result.stdout)
        lines = result.stderr.strip().splitlines()
        self.assertEqual(len(lines), 1, result.stderr)
        self.assertTrue(lines[0].startswith("keepset: "), lines[0])
        for part in parts:
            self.assertIn(part, lines[0])
