"""An API that answers every page's first two requests with an error: for `flaky_api.py`.

    python examples/data/flaky_server.py PORT_FILE

Listens on a free port of the loopback interface, and writes its address to the file.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

asked: Counter[str] = Counter()


class Handler(BaseHTTPRequestHandler):
    """Pages 0 to 3."""

    def do_GET(self) -> None:
        """503, 503, then the page."""
        asked[self.path] += 1
        page = self.path.rpartition("/")[2]
        if page not in ("0", "1", "2", "3"):
            self.send_error(404)
        elif asked[self.path] <= 2:
            self.send_error(503)
        else:
            body = json.dumps([float(page) + cents / 4 for cents in range(4)]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Be quiet."""


def main() -> None:
    """Serve until killed."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Path(sys.argv[1]).write_text(f"http://127.0.0.1:{server.server_port}")
    server.serve_forever()


if __name__ == "__main__":
    main()
