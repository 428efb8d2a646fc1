"""A screen of its own for a program: Xvfb, the window manager openbox, a message bus, and hands: pointer, keys, drops.

What the program shows is read through AT-SPI, as a screen reader does, and as pixels. Nothing sleeps for a fixed time: every
wait ends when what is waited for is there, and fails with a sentence when it does not come.
"""
import os
import re
import shutil
import subprocess
import sys
import time

NEEDED_PROGRAMS = ("Xvfb", "openbox", "dbus-daemon")
PATIENCE = 60  # s


def missing():
    """What this machine lacks for a session, in words; nothing: it can be held."""
    lacks = [name for name in NEEDED_PROGRAMS if shutil.which(name) is None]
    try:
        import gi
        gi.require_version("Atspi", "2.0")
        from gi.repository import Atspi  # noqa: F401
    except (ImportError, ValueError):
        lacks.append("AT-SPI for Python (python3-gi, gir1.2-atspi-2.0, at-spi2-core)")
    for module, package in (("Xlib", "python3-xlib"), ("numpy", "python3-numpy"), ("h5py", "python3-h5py")):
        try:
            __import__(module)
        except ImportError:
            lacks.append(package)
    return ", ".join(lacks)


class Failed(AssertionError):
    pass


def wait(what, look, patience=PATIENCE):
    """The first answer of `look` that is true. A look that meets a widget on its way out is taken again."""
    end = time.monotonic() + patience
    last = None
    while True:
        try:
            answer = look()
            if answer:
                return answer
            last = answer
        except Exception as error:  # AT-SPI of a widget that has gone, a file half written
            last = error
            if isinstance(error, Failed):
                raise
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {patience} s (at last: {last!r})")
        time.sleep(0.02)


class Screen:
    """Xvfb with openbox and a bus. Use it in `with`."""

    def __init__(self, width=2880, height=1800):
        self.processes = []
        self.size = (width, height)

    def __enter__(self):
        read, write = os.pipe()
        self.start(["Xvfb", "-displayfd", str(write), "-screen", "0", "%dx%dx24" % self.size, "-nolisten", "tcp", "-noreset"],
                   pass_fds=(write,))
        os.close(write)
        with os.fdopen(read) as pipe:
            number = pipe.readline().strip()
        if not number:
            raise Failed("Xvfb did not start")
        os.environ["DISPLAY"] = ":" + number
        bus = self.start(["dbus-daemon", "--session", "--nofork", "--print-address"], stdout=subprocess.PIPE, text=True)
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = bus.stdout.readline().strip()
        os.environ.pop("AT_SPI_BUS_ADDRESS", None)
        self.start(["openbox", "--sm-disable"], env={**os.environ, "HOME": "/", "XDG_CONFIG_HOME": "/nowhere"})  # as nobody has set it up
        from Xlib import X, XK, display
        from Xlib.ext import xtest
        self.x, self.keysyms, self.xtest = X, XK, xtest
        self.display = display.Display()
        self.root = self.display.screen().root
        wait("a window manager", lambda: self.root.get_full_property(self.atom("_NET_SUPPORTING_WM_CHECK"), X.AnyPropertyType))
        import gi
        gi.require_version("Atspi", "2.0")
        from gi.repository import Atspi
        self.atspi = Atspi
        Atspi.init()
        wait("AT-SPI's desktop", lambda: Atspi.get_desktop(0) is not None)
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start(self, command, **more):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **more}
        process = subprocess.Popen(command, **quiet)
        self.processes.append(process)
        return process

    def atom(self, name):
        return self.display.intern_atom(name)

    # ---- hands ----

    def move(self, x, y):
        self.xtest.fake_input(self.display, self.x.MotionNotify, x=round(x), y=round(y))
        self.display.sync()

    def button(self, down, which=1):
        kind = self.x.ButtonPress if down else self.x.ButtonRelease
        self.xtest.fake_input(self.display, kind, which)
        self.display.sync()

    def click(self, x, y, which=1):
        self.move(x, y)
        self.button(True, which)
        self.button(False, which)

    def drag(self, begin, end, steps=6):
        self.move(*begin)
        self.button(True)
        for step in range(1, steps + 1):
            self.move(*(b + (e - b) * step / steps for b, e in zip(begin, end)))
        self.button(False)

    def wheel(self, x, y, notches):
        self.move(x, y)
        for _ in range(abs(notches)):
            self.button(True, 4 if notches > 0 else 5)
            self.button(False, 4 if notches > 0 else 5)

    def press(self, code, down):
        self.xtest.fake_input(self.display, self.x.KeyPress if down else self.x.KeyRelease, code)

    def code_of(self, name):
        names = {"ctrl": "Control_L", "shift": "Shift_L", "alt": "Alt_L", "enter": "Return", "esc": "Escape", ".": "period"}
        sym = self.keysyms.string_to_keysym(names.get(name, name)) or ord(name)
        return self.display.keysym_to_keycode(sym)

    def key(self, chord):
        """"ctrl+1", "F6", "esc"."""
        codes = [self.code_of(name) for name in chord.split("+")]
        for code in codes:
            self.press(code, True)
        for code in reversed(codes):
            self.press(code, False)
        self.display.sync()

    def type(self, text):
        shift = self.code_of("shift")
        for letter in text:
            sym = ord(letter)
            code = self.display.keysym_to_keycode(sym)
            upper = self.display.keycode_to_keysym(code, 0) != sym
            if upper:
                self.press(shift, True)
            self.press(code, True)
            self.press(code, False)
            if upper:
                self.press(shift, False)
        self.display.sync()

    # ---- eyes ----

    def picture(self, x, y, width, height):
        """(height, width, 3), red green blue."""
        import numpy
        x, y = max(0, round(x)), max(0, round(y))
        width, height = min(round(width), self.size[0] - x), min(round(height), self.size[1] - y)
        image = self.root.get_image(x, y, width, height, self.x.ZPixmap, 0xffffffff)
        data = numpy.frombuffer(image.data, numpy.uint8).reshape(height, width, 4)
        return data[:, :, 2::-1].copy()

    def windows(self):
        """(title, window) of every window that the window manager shows."""
        listed = self.root.get_full_property(self.atom("_NET_CLIENT_LIST"), self.x.AnyPropertyType)
        found = []
        for number in listed.value if listed else []:
            window = self.display.create_resource_object("window", number)
            title = window.get_full_property(self.atom("_NET_WM_NAME"), self.x.AnyPropertyType)
            found.append((title.value.decode() if title else "", window))
        return found

    def frame(self, window):
        """x, y, width, height of what the program draws."""
        size = window.get_geometry()
        place = window.translate_coords(self.root, 0, 0)
        return -place.x, -place.y, size.width, size.height

    def arrange(self, window, x, y, width, height):
        """As a hand that moves and resizes it: through the window manager."""
        from Xlib.protocol import event
        flags = (1 << 8) | (1 << 9) | (1 << 10) | (1 << 11) | 10  # x, y, width, height; gravity static
        self.root.send_event(event.ClientMessage(window=window, client_type=self.atom("_NET_MOVERESIZE_WINDOW"),
                                                 data=(32, [flags, x, y, width, height])),
                             event_mask=self.x.SubstructureRedirectMask | self.x.SubstructureNotifyMask)
        self.display.sync()
        wait(f"a window of {width} x {height}", lambda: self.frame(window)[2:] == (width, height), 20)


class Program:
    """One run of a program on a screen, with a home of its own."""

    def __init__(self, screen, command, home, **environment):
        self.screen, self.home = screen, home
        own = {"HOME": home, "XDG_CONFIG_HOME": f"{home}/config", "XDG_DATA_HOME": f"{home}/data",
               "XDG_CACHE_HOME": f"{home}/cache", "XDG_RUNTIME_DIR": f"{home}/runtime", "QT_QPA_PLATFORM": "xcb",
               "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1", "LC_ALL": "C.UTF-8", "LANGUAGE": "", **environment}
        os.makedirs(own["XDG_RUNTIME_DIR"], mode=0o700, exist_ok=True)
        self.log = open(f"{home}/log", "a+")
        self.process = subprocess.Popen(command, env={**os.environ, **own}, stdout=self.log, stderr=self.log, cwd=home)
        screen.processes.append(self.process)
        self.scale = float(own.get("QT_SCALE_FACTOR", 1))
        self.window = wait("its window", lambda: self.titled("Keepset"))
        self.root = wait("its AT-SPI tree", self.tree)

    def titled(self, words):
        self.alive()
        return next((window for title, window in self.screen.windows() if words in title), None)

    def title(self):
        return next((title for title, window in self.screen.windows() if window.id == self.window.id), "")

    def wait_for_keys(self):
        """Until keys go to the main window: a window that closes gives them back a moment later."""
        wait("the keyboard", lambda: self.screen.display.get_input_focus().focus.id == self.window.id, 20)

    def alive(self):
        if self.process.poll() is not None:
            self.log.seek(0)
            raise Failed(f"the program ended with {self.process.returncode}: {self.log.read()[-2000:]}")

    def tree(self):
        desktop = self.screen.atspi.get_desktop(0)
        for i in range(desktop.get_child_count()):
            child = desktop.get_child_at_index(i)
            if child and child.get_process_id() == self.process.pid:
                return child
        return None

    # ---- what it shows ----

    def walk(self, node=None, deep=("table", "tree table", "list")):
        """Every visible accessible below `node`; what is in tables only where asked for."""
        node = node or self.root
        for i in range(node.get_child_count()):
            child = node.get_child_at_index(i)
            if child is None or not self.shows(child):
                continue
            yield child
            if child.get_role_name() not in deep:
                yield from self.walk(child, deep)

    def shows(self, node):
        states = node.get_state_set()
        return node.get_role_name() in ("frame", "dialog", "window") or states.contains(self.screen.atspi.StateType.SHOWING)

    def find(self, role, name, below=None):
        """The first that has this role and whose name matches the regular expression; None."""
        self.alive()
        for node in self.walk(below):
            if node.get_role_name() == role and re.search(name, node.get_name() or ""):
                return node
        return None

    def await_(self, role, name, patience=PATIENCE):
        return wait(f"{role} “{name}”", lambda: self.find(role, name), patience)

    def says(self, words, patience=PATIENCE):
        """A visible label, or a described widget, that matches; its words."""
        def look():
            self.alive()
            for node in self.walk():
                for said in (node.get_name(), node.get_description()):
                    if said and re.search(words, said):
                        return said
            return None
        return wait(f"the words “{words}”", look, patience)

    def box(self, node):
        """x, y, width, height in pixels of the screen."""
        extents = self.screen.atspi.Component.get_extents(node, self.screen.atspi.CoordType.SCREEN)
        return tuple(value * self.pixels for value in (extents.x, extents.y, extents.width, extents.height))

    @property
    def pixels(self):
        """Of a unit of AT-SPI: Qt may give points where the screen has several pixels each."""
        if not hasattr(self, "_pixels"):
            frame = wait("its frame", lambda: self.find("frame", ""))
            extents = self.screen.atspi.Component.get_extents(frame, self.screen.atspi.CoordType.SCREEN)
            self._pixels = round(self.screen.frame(self.window)[2] / extents.width)
        return self._pixels

    def middle(self, node):
        x, y, width, height = self.box(node)
        return x + width / 2, y + height / 2

    def click(self, node, which=1):
        self.screen.click(*self.middle(node), which)

    def push(self, role, name):
        self.click(self.await_(role, name))

    def picture(self, node=None):
        return self.screen.picture(*(self.box(node) if node else self.screen.frame(self.window)))

    # ---- its end ----

    def leaves(self, patience=PATIENCE):
        """Its exit status."""
        return_code = wait("its end", lambda: None if self.process.poll() is None else (self.process.returncode,), patience)[0]
        self.log.close()
        return return_code


def eprint(*words):
    print(*words, file=sys.stderr, flush=True)
