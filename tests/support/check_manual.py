#!/usr/bin/env python3
"""Checks that links between the Markdown pages lead somewhere and that the window embeds every page of the manual.

    check_manual.py ROOT
"""
import pathlib
import re
import sys


def anchor(heading):
    """The anchor that Markdown viewers give a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def broken_links(root, page):
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, fragment = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or root not in target.parents:
            yield f"{page.relative_to(root)}: {link}: there is no such file"
        elif fragment and fragment not in map(anchor, re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.M)):
            yield f"{page.relative_to(root)}: {link}: there is no such heading"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    root = pathlib.Path(sys.argv[1]).resolve()
    manual = sorted((root / "resources" / "help").glob("*.md"))
    embedded = set(re.findall(r">(help/[^<]+)<", (root / "resources" / "keepset.qrc").read_text()))
    found = [f"resources/{name}: keepset.qrc does not embed it"
             for name in (f"help/{page.name}" for page in manual) if name not in embedded]
    found += [f"keepset.qrc embeds {name}, which does not exist" for name in embedded if not (root / "resources" / name).exists()]
    pages = manual + [root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "resources" / "demo").rglob("*.md"))]
    for page in pages:
        found += broken_links(root, page)
    print("\n".join(found) if found else f"{len(pages)} pages, every link leads somewhere")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
