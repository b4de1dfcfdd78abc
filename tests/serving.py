"""A web server on loopback, whose handler says what it answers."""

import contextlib
import http.server
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    """What answers ``HEAD`` as it does ``GET``, and tells nobody."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def do_HEAD(self):
        self.do_GET()


class Server(http.server.ThreadingHTTPServer):
    """A thread a connection; of so many that come at a time, none is turned away."""

    request_queue_size = 128


@contextlib.contextmanager
def serving(handler):
    """The port at which a handler answers for as long as it is asked to."""
    server = Server(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = lambda *words: None  # a client may hang up
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()
