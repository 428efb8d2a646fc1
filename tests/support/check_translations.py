#!/usr/bin/env python3
"""Every string of ui/ has a German translation: check_translations.py LUPDATE ROOT

Runs lupdate on a copy of the translation file, so that strings which are not in it yet are found too. A translation
keeps its place holders (%1) and its line breaks. `--update` writes the file itself: what is new in it is then to be
translated by hand.
"""
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def update(lupdate, root, file):
    subprocess.run(
        [lupdate, "-silent", "-no-obsolete", "-locations", "none", "-I", ".", "-source-language", "en",
         "-target-language", "de", "ui", "-ts", str(file)],
        cwd=root, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def problems(file):
    count = 0
    for context in ElementTree.parse(file).getroot().iter("context"):
        for message in context.iter("message"):
            count += 1
            source = message.findtext("source") or ""
            translation = message.find("translation")
            text = translation.text or ""
            where = f"{context.findtext('name')}: {source!r}"
            if translation.get("type") == "unfinished" or not text.strip():
                yield f"{where} is not translated"
            elif sorted(re.findall(r"%\d", source)) != sorted(re.findall(r"%\d", text)):
                yield f"{where} has other place holders than {text!r}"
            elif source.count("\n") != text.count("\n"):
                yield f"{where} has other line breaks than {text!r}"
    if count == 0:
        yield "there is no string at all"


def main():
    arguments = [word for word in sys.argv[1:] if word != "--update"]
    lupdate, root = arguments[0], Path(arguments[1]).resolve()
    kept = root / "resources/translations/keepset_de.ts"
    if "--update" in sys.argv:
        update(lupdate, root, kept)
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / kept.name
        shutil.copy(kept, copy)
        update(lupdate, root, copy)
        found = list(problems(copy))
    for line in found:
        print(line)
    if found:
        print("run this with --update and translate what is new in resources/translations/keepset_de.ts")
    sys.exit(1 if found else 0)


main()
