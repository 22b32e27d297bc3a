"""Ends with 0 if the service of this container has a worker that is alive."""

import sys
import urllib.request

address = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"
try:
    with urllib.request.urlopen(f"{address}/health", timeout=4) as answer:
        sys.exit(answer.status != 200)
except OSError as error:
    sys.exit(f"not healthy: {error}")
