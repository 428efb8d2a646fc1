"""Drops files on a window as a file manager does: a source of the XDND protocol, version 5, moved by the real pointer."""
import time

from screen import Failed
from urllib.parse import quote


def drop(screen, target, paths, at):
    """`target`: the X window; `at`: x, y on the screen. Returns when the window says that it has taken them."""
    Drop(screen, target, paths).to(*at)


class Drop:
    def __init__(self, screen, target, paths):
        self.screen, self.target, self.x = screen, target, screen.x
        self.data = "".join(f"file://{quote(path)}\r\n" for path in paths).encode()
        self.source = screen.root.create_window(-10, -10, 1, 1, 0, screen.display.screen().root_depth,
                                                event_mask=self.x.PropertyChangeMask)
        self.selection = screen.atom("XdndSelection")
        self.kind = screen.atom("text/uri-list")
        self.accepted = self.finished = False

    def send(self, name, *values):
        from Xlib.protocol import event
        data = [self.source.id, *values] + [0] * (4 - len(values))
        self.target.send_event(event.ClientMessage(window=self.target, client_type=self.screen.atom(name), data=(32, data)))
        self.screen.display.flush()

    def answer(self, request):
        """Gives the list of files to who asks for the selection."""
        from Xlib.protocol import event
        known = request.target == self.kind
        if known:
            request.requestor.change_property(request.property, self.kind, 8, self.data)
        request.requestor.send_event(event.SelectionNotify(
            time=request.time, requestor=request.requestor, selection=request.selection, target=request.target,
            property=request.property if known else 0))
        self.screen.display.flush()

    def listen(self, until, patience=20):
        """Serves what the window asks for, until it has said what is waited for."""
        end = time.monotonic() + patience
        display = self.screen.display
        while not until():
            if time.monotonic() > end:
                raise Failed("the window did not answer the drop")
            while display.pending_events():
                event = display.next_event()
                if event.type == self.x.SelectionRequest:
                    self.answer(event)
                elif event.type == self.x.ClientMessage:
                    if event.client_type == self.screen.atom("XdndStatus"):
                        self.accepted = bool(event.data[1][1] & 1)
                    elif event.client_type == self.screen.atom("XdndFinished"):
                        self.finished = True
            time.sleep(0.005)

    def to(self, x, y):
        x, y = round(x), round(y)
        self.source.set_selection_owner(self.selection, self.x.CurrentTime)
        self.screen.move(x, y)
        self.send("XdndEnter", 5 << 24, self.kind)
        self.send("XdndPosition", 0, x << 16 | y, self.x.CurrentTime, self.screen.atom("XdndActionCopy"))
        self.listen(lambda: self.accepted)
        self.send("XdndDrop", 0, self.x.CurrentTime)
        self.listen(lambda: self.finished)
        self.source.destroy()
        self.screen.display.sync()
