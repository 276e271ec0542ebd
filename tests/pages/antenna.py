"""A connection to a server that can be cut: Playwright's own leaves service workers online."""

import contextlib
import socket
import threading


class Antenna:
    """Passes bytes on to a port of this machine, while it has a signal. `port` is its own."""

    def __init__(self, port):
        self._to = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open, self._lock, self._signal = set(), threading.Lock(), True
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        """Lose the signal: end what is open, and everything that comes."""
        with self._lock:
            self._signal = False
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            self._open.clear()

    def restore(self):
        self._signal = True

    def close(self):
        self.cut()
        self._listener.close()

    def _accept(self):
        while True:
            try:
                phone, _ = self._listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._connect, args=[phone], daemon=True).start()

    def _connect(self, phone):
        with phone, socket.create_connection(self._to) as server:
            with self._lock:
                if not self._signal:
                    return
                self._open |= {phone, server}
            back = threading.Thread(target=self._pass, args=[server, phone], daemon=True)
            back.start()
            self._pass(phone, server)
            back.join()

    def _pass(self, one, other):
        with contextlib.suppress(OSError):
            while part := one.recv(65536):
                other.sendall(part)
        with contextlib.suppress(OSError):
            other.shutdown(socket.SHUT_WR)
