#!/usr/bin/env python3
"""A session by hand, as a test: the built program under Xvfb with a window manager, moved by real clicks, keys and drops.

    session.py KEEPSET KEEPSET_CLI SOURCE [PICTURES]     ends with 77 where this machine lacks what a session needs

What it expects it reads from the screen (words through AT-SPI, pixels) and from the files that the program writes. With
PICTURES it leaves a picture of every page there, to be looked at.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from drop import drop
from screen import Failed, Program, Screen, eprint, missing, wait

SKIPPED = 77  # what ctest takes for "skipped"
PAGES = ("Tokens", "Heatmap", "Heads", "Attention", "Sweep", "Audit")
SEITEN = ("Token", "Heatmap", "Köpfe", "Aufmerksamkeit", "Sweep", "Prüfung")
LONG = 131072  # tokens


def check(true, sentence):
    if not true:
        raise Failed(sentence)


class Session:
    def __init__(self, screen, keepset, cli, source, folder, pictures):
        self.screen, self.keepset, self.cli, self.source = screen, keepset, cli, source
        self.folder, self.pictures = folder, pictures
        self.demo = f"{source}/resources/demo"
        self.app = None

    # ---- one run of the program ----

    def open(self, name, arguments=(), size=(1440, 900), home=None, **environment):
        home = home or f"{self.folder}/{name}"
        os.makedirs(f"{home}/config/keepset", exist_ok=True)
        settings = f"{home}/config/keepset/keepset.conf"
        if not os.path.exists(settings):
            with open(settings, "w") as file:
                file.write("[General]\ntourDone=true\n")
        self.name, self.home = name, home
        self.app = Program(self.screen, [self.keepset, *arguments], home, **environment)
        scale = self.app.scale
        self.screen.arrange(self.app.window, 20, 30, *(round(side * scale) for side in size))
        self.app.wait_for_keys()

    def quit(self):
        self.screen.key("ctrl+q")
        status = self.app.leaves()
        check(status == 0, f"the program ended with {status}")

    def analysed(self, words=r"^analysed 1,024 tokens|^1.024 Token"):
        self.app.says(words)

    def picture(self, page):
        """Of the whole window; where it is drawn to the end."""
        last = [None]

        def still():
            now = self.app.picture()
            same = last[0] is not None and now.shape == last[0].shape and (now == last[0]).all()
            last[0] = now
            return same
        wait(f"page {page} standing still", still)
        if self.pictures:
            save(last[0], f"{self.pictures}/{self.name}-{page.lower()}.png")
        return last[0]

    def shown_page(self):
        tabs = self.app.find("page tab list", "")
        return tabs.get_name() if tabs else None

    def go(self, number, titles=PAGES):
        self.screen.key(f"ctrl+{number}")
        wait(f"page {titles[number - 1]}", lambda: self.shown_page() == titles[number - 1], 20)

    def every_page(self, titles=PAGES):
        """By its key; each is another picture, none is empty, and no text of a button is cut."""
        seen = []
        for number, title in enumerate(titles, 1):
            self.go(number, titles)
            if number == 1:
                wait("both texts", lambda: sum(node.get_role_name() == "text" and node.get_name().startswith("Text, ")
                                               for node in self.app.walk()) == 2, 30)
            if number == 3:
                self.app.await_("label", "^8 .* × 5 ", 90)
            picture = self.picture(PAGES[number - 1])
            check(len(set(map(bytes, picture[::7, ::7].reshape(-1, 3)))) > 30, f"page {title} has hardly a colour")
            check(all(picture.shape != other.shape or (picture != other).any() for other in seen), f"page {title} is one of the others")
            seen.append(picture)
            self.nothing_sticks_out(title)

    def nothing_sticks_out(self, page):
        """Every button, box and field that is shown lies inside the window, unless it can be scrolled to."""
        left, top, width, height = self.screen.frame(self.app.window)
        for node in self.app.walk():
            if node.get_role_name() not in ("push button", "combo box", "spin button", "check box", "slider", "page tab"):
                continue
            x, y, w, h = self.app.box(node)
            inside = x >= left - 1 and y >= top - 1 and x + w <= left + width + 1 and y + h <= top + height + 1
            check(inside or w <= 0 or h <= 0 or self.can_be_scrolled(node),
                  f"page {page}: “{node.get_name()}” at {(x, y, w, h)} sticks out of {(left, top, width, height)}")

    def can_be_scrolled(self, node):
        above = node.get_parent()
        while above is not None and above.get_role_name() != "application":
            beside = [above.get_child_at_index(i) for i in range(min(above.get_child_count(), 8))]
            inside = [child.get_child_at_index(0) for child in beside if child and child.get_child_count() == 1]
            if any(other and other.get_role_name() == "scroll bar" and self.app.shows(other) for other in beside + inside):
                return True
            above = above.get_parent()
        return False

    # ---- what a hand does ----

    def a_start_shows_the_demo(self):
        self.open("light")
        wait("the text's name in the title", lambda: "demo.txt" in self.app.title())
        self.app.says("^analysed 1,024 tokens")

    def a_click_on_a_word_says_why_it_is_kept(self):
        self.go(1)
        text = self.app.await_("text", "Text, first policy")
        reader = self.screen.atspi.Text
        word = "watched"
        place = reader.get_text(text, 0, 2000).index(word)
        box = reader.get_character_extents(text, place, self.screen.atspi.CoordType.SCREEN)
        self.screen.click((box.x + box.width / 2) * self.app.pixels, (box.y + box.height / 2) * self.app.pixels)
        panel = self.app.await_("frame", "^Token$")
        wait("the token in its panel", lambda: self.app.find("label", "^“watched”$", panel), 20)
        self.app.says("layer × head rows", 20)

    def the_slider_changes_what_is_kept(self):
        kept = lambda: self.app.says("[0-9,]+ of 1,024 kept", 10)
        before, picture = kept(), self.app.picture(self.app.await_("text", "Text, first"))
        x, y, w, h = self.app.box(self.app.await_("slider", "Sparsity"))
        self.screen.drag((x + w * 0.80, y + h / 2), (x + w * 0.5, y + h / 2))
        wait("another count of kept tokens", lambda: kept() != before, 20)
        wait("other colours in the text", lambda: (self.app.picture(self.app.find("text", "Text, first")) != picture).any(), 20)

    def a_word_is_found(self):
        self.screen.key("ctrl+f")
        self.screen.type("water")
        self.screen.key("enter")
        self.app.says("^match [0-9] of 3 for “water”", 20)

    def difference_and_lines_are_two_more_views(self):
        self.app.push("check box", "^Shows which tokens only one of the two keeps")
        self.app.await_("text", "Text, which policy", 20)
        self.app.push("push button", "^Shows what each of the two keeps")
        self.app.push("check box", "^Shows a row for every line")
        self.app.await_("table", "Lines of the text", 20)
        self.app.push("push button", "^Shows every token")
        self.app.await_("check box", "^Shows a row for every line", 20)

    def the_map_zooms_under_the_wheel(self):
        self.go(2)
        map_ = wait("the layer map", lambda: next((n for n in self.app.walk() if "layer × token" in (n.get_name() or "") and n.get_role_name() != "label"), None), 20)
        away = self.app.middle(self.app.await_("slider", "Sparsity"))

        def inner():  # without axes, frame and what stands beside the pointer
            self.screen.move(*away)
            picture = self.app.picture(map_)
            height, width, _ = picture.shape
            return picture[height // 5:height // 2, width // 5:width * 3 // 5]
        whole = inner()
        x, y = self.app.middle(map_)
        self.screen.wheel(x, y, 3)
        wait("a closer look", lambda: (inner() != whole).mean() > 0.1, 20)
        for _ in range(3):
            self.screen.click(x, y, 3)
        wait("everything again", lambda: (inner() != whole).mean() < 0.01, 20)

    def a_map_is_exported(self):
        self.go(2)
        for suffix, begin in (("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF"), ("csv", b"layer")):
            path = f"{self.folder}/map.{suffix}"
            self.app.push("push button", "^Exports the layer map")
            self.give_name(path)
            wait(f"a {suffix}", lambda: os.path.exists(path) and open(path, "rb").read(8).startswith(begin), 20)
        svg = open(f"{self.folder}/map.svg", encoding="utf-8").read()
        check("demo model · demo.txt" in svg, "the exported map does not say of what it is")

    def give_name(self, path):
        """To the file dialog that comes up."""
        wait("a file dialog", lambda: len(self.screen.windows()) == 2, 20)
        wait("its field for the name", lambda: any(n.get_role_name() == "text" and "ame" in (n.get_name() or "") for n in self.app.walk()), 20)
        self.screen.key("ctrl+a")
        self.screen.type(path)
        self.screen.key("enter")
        wait("the dialog to close", lambda: len(self.screen.windows()) == 1, 20)
        self.app.wait_for_keys()

    def fill(self, name, number):
        """Into a field for a number, in the place of what stands there."""
        field = self.app.await_("spin button", name)
        self.app.click(field)
        self.screen.key("End")
        for _ in range(8):
            self.screen.key("BackSpace")
        self.screen.type(str(number))
        wait(f"{number} in {name}", lambda: field.get_current_value() == number, 10)

    def a_tile_chooses_its_head(self):
        self.go(3)
        sheet = wait("the sheet of heads", lambda: next((n for n in self.app.walk() if re.search("8 layers × 5 heads", n.get_name() or "") and n.get_role_name() != "label"), None), 20)
        x, y, w, h = self.app.box(sheet)
        self.screen.click(x + w * 0.4, y + h * 0.3)
        wait("a layer and a head", lambda: self.app.find("combo box", "^layer [0-9]") and self.app.find("combo box", "^kv head [0-9]"), 20)
        self.screen.key("ctrl+1")

    def attention_is_there(self):
        self.go(4)
        self.app.says("probability that a query", 20)

    def a_sweep_leaves_a_file(self):
        import h5py
        self.go(5)
        self.fill("^Windows$", 5)
        runs = f"{self.home}/data/keepset/keepset/runs"
        self.app.push("push button", "^Start sweep$")
        self.app.await_("push button", "^Pause$", 20)
        path = wait("a run file", lambda: next((f"{runs}/{name}" for name in os.listdir(runs) if name.endswith(".h5")), None), 30)
        self.app.says("^✓ done$", 90)
        with h5py.File(path, "r") as run:
            check(run["sweep/window/done"][:].all() and len(run["sweep/window/done"]) == 5, f"{path} lacks windows")
        self.run = path
        self.app.says("5 of 5 windows", 20)

    def dropped_files_open(self):
        tiny = f"{self.folder}/dropped.txt"
        with open(tiny, "w") as file:
            file.write("Some words of a text that a hand drops on the window. " * 60)
        middle = (400 * self.app.scale, 500 * self.app.scale)
        self.go(1)
        drop(self.screen, self.app.window, [tiny], middle)
        wait("the dropped text in the title", lambda: "dropped.txt" in self.app.title(), 30)
        drop(self.screen, self.app.window, [self.run], middle)
        wait("the page of the dropped run", lambda: self.shown_page() == "Sweep", 30)
        self.app.says("^" + re.escape(os.path.basename(self.run)), 20)
        self.app.says("not of the open model and text", 20)
        drop(self.screen, self.app.window, [f"{self.source}/resources/examples/published-faulty.csv"], middle)
        wait("the page of the dropped table", lambda: self.shown_page() == "Audit", 30)
        self.app.says("✕|✗", 20)

    def what_is_wrong_is_one_sentence(self):
        empty = f"{self.folder}/no model"
        os.makedirs(empty)
        drop(self.screen, self.app.window, [empty], (400, 500))
        said = self.app.says(r"no model.*config\.json|config\.json.*no model", 20)
        check(said.count("\n") == 0, f"an error of several lines: {said}")
        self.screen.key("esc")
        wait("the error to go", lambda: not self.app.find("push button", "^Dismiss$"), 20)

    def an_analysis_is_saved(self):
        import h5py
        self.go(1)
        path = f"{self.folder}/saved.h5"
        self.screen.key("ctrl+s")
        self.give_name(path)
        self.app.says("^saved ", 30)
        with h5py.File(path, "r") as trace:
            check(trace.attrs["keepset_format"] in ("trace", b"trace"), f"{path} is no trace")

    def the_manual_opens_and_closes(self):
        self.screen.key("F1")
        wait("the manual", lambda: self.app.titled("manual"), 20)
        pages = self.app.await_("list", "Pages of the manual", 20)
        names = [node.get_name() for node in self.app.walk(pages)]
        check("First steps" in names and "Benchmarks" in names, f"the manual lists {names}")
        self.screen.key("esc")
        wait("the manual to close", lambda: not self.app.titled("manual"), 20)
        self.app.wait_for_keys()

    def the_next_start_is_where_this_one_ended(self):
        self.go(6)
        self.quit()
        self.open("light", home=self.home)
        wait("the page of the last time", lambda: self.shown_page() == "Audit", 20)
        wait("the text of the last time", lambda: "dropped.txt" in self.app.title(), 30)
        self.quit()

    def every_page_twice_as_large(self):
        self.open("large", QT_SCALE_FACTOR="2")
        check(self.app.pixels * self.app.scale in (2, 4), "the window is not drawn at twice the size")
        self.app.says("^analysed")
        self.every_page()
        self.a_click_on_a_word_says_why_it_is_kept()
        self.quit()

    def every_page_on_a_small_screen(self):
        self.open("small", size=(1000, 660))
        self.app.says("^analysed")
        self.every_page()
        self.quit()

    def every_page_in_the_dark(self):
        self.open("dark")
        self.app.says("^analysed")
        bright = self.app.picture().mean()
        check(bright > 180, f"the light window is not light: {bright}")
        self.screen.key("alt+v")
        self.app.push("menu item", "^Appearance$")
        self.app.push("menu item", "^Dark$")
        wait("a dark window", lambda: self.app.picture().mean() < 80, 20)
        self.every_page()
        self.quit()

    def every_page_in_german(self):
        self.open("german", size=(1000, 660), LC_ALL="de_DE.UTF-8", LANGUAGE="de")
        self.app.says("^1,024 Token in .* analysiert")
        self.app.await_("push button", "^Analysieren$")
        self.every_page(SEITEN)
        self.quit()

    def a_long_text_moves_at_once(self):
        trace = f"{self.folder}/long.h5"
        lengthen(self.cli, self.demo, trace)
        self.open("long", [trace])
        self.app.says(f"{LONG:,} tokens", 90)
        self.every_page()
        self.go(1)
        x, y, w, h = self.app.box(self.app.await_("slider", "Sparsity"))
        began = time.monotonic()
        self.screen.drag((x + w * 0.8, y + h / 2), (x + w * 0.5, y + h / 2), 30)
        self.app.says(r"^(4|5)[0-9]?(\.[0-9])?%$", 20)
        check(time.monotonic() - began < 10, "the slider lags behind the hand")
        self.quit()


def lengthen(cli, demo, path):
    """A trace of 131,072 tokens, made of one of 1,024 by saying the text again and again."""
    import h5py
    import numpy
    short = path + ".short.h5"
    subprocess.run([cli, "analyze", f"{demo}/model", "--text", f"{demo}/demo.txt", "--context", "1024", "--out", short], check=True,
                   capture_output=True)
    times = LONG // 1024
    with h5py.File(short, "r") as old, h5py.File(path, "w") as new:
        for name, value in old.attrs.items():
            new.attrs.create(name, value, dtype=old.attrs.get_id(name).dtype)
        for group in old:
            old.copy(group, new)
        for number in list(new["keep"]):
            del new[f"keep/{number}"]
        new["importance"].attrs.modify("context", numpy.int64(LONG))
        source = old["tokens/source"]
        bytes_ = int(source.attrs["bytes"])

        def replace(name, data, dtype=None):
            attributes = dict(new[name].attrs)
            del new[name]
            new.create_dataset(name, data=data, dtype=dtype)
            for key in ("bytes", "byte_begin", "units", "description"):
                if key in attributes:
                    new[name].attrs[key] = attributes[key]
        spread = numpy.random.default_rng(1).uniform(0.5, 2, LONG).astype("f4")
        replace("importance/cumulative", numpy.tile(old["importance/cumulative"][:], times) * spread)
        replace("attention/lse", numpy.tile(old["attention/lse"][:], times))
        replace("tokens/id", numpy.tile(old["tokens/id"][:], times))
        shift = numpy.repeat(numpy.arange(times, dtype="i8") * bytes_, 1024)
        for name in ("tokens/byte_begin", "tokens/byte_end"):
            replace(name, numpy.tile(old[name][:], times) + shift)
        texts = numpy.tile(old["tokens/text"][:], times)
        replace("tokens/text", texts, old["tokens/text"].dtype)
        raw = source[()]
        raw = raw.encode() if isinstance(raw, str) else bytes(raw)
        whole = raw.ljust(bytes_, b" ")[:bytes_] * times
        replace("tokens/source", numpy.bytes_(whole), h5py.string_dtype("utf-8", len(whole)))
        new["tokens/source"].attrs["bytes"] = numpy.int64(len(whole))
        new["tokens/source"].attrs["byte_begin"] = numpy.int64(source.attrs["byte_begin"])
    os.remove(short)


def save(picture, path):
    import struct
    import zlib
    height, width, _ = picture.shape
    rows = b"".join(b"\0" + row.tobytes() for row in picture)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
                   chunk(b"IDAT", zlib.compress(rows, 6)) + chunk(b"IEND", b""))


STEPS = ("a_start_shows_the_demo", "a_click_on_a_word_says_why_it_is_kept", "the_slider_changes_what_is_kept", "a_word_is_found",
         "difference_and_lines_are_two_more_views", "the_map_zooms_under_the_wheel", "a_map_is_exported", "a_tile_chooses_its_head",
         "attention_is_there", "a_sweep_leaves_a_file", "dropped_files_open", "what_is_wrong_is_one_sentence", "an_analysis_is_saved",
         "the_manual_opens_and_closes", "the_next_start_is_where_this_one_ended", "every_page_twice_as_large",
         "every_page_on_a_small_screen", "every_page_in_the_dark", "every_page_in_german", "a_long_text_moves_at_once")


def main(keepset, cli, source, pictures=None):
    lacks = missing()
    if lacks:
        print(f"skipped: a session by hand needs {lacks}")
        return SKIPPED
    folder = tempfile.mkdtemp(prefix="keepset-session-")
    try:
        with Screen() as screen:
            session = Session(screen, keepset, cli, source, folder, pictures)
            for name in STEPS:
                began = time.monotonic()
                try:
                    getattr(session, name)()
                except Exception as error:
                    eprint(f"FAIL  {name}: {type(error).__name__}: {error}")
                    shot = f"{pictures or os.getcwd()}/session-failed.png"
                    save(screen.picture(0, 0, *screen.size), shot)
                    eprint(f"the screen then: {shot}")
                    return 1
                print(f"pass  {name} ({time.monotonic() - began:.1f} s)", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(os.path.abspath, sys.argv[1:])))
