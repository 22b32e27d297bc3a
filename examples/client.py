"""The entities of texts from a service that `spacy medflat serve` runs, without any package.

python examples/client.py http://127.0.0.1:8000 胸部CT见右肺下叶结节，伴咳嗽。 否认糖尿病史。

The variable MEDFLAT_TOKEN is sent if the service wants a token.
"""

import json
import os
import sys
import time
import urllib.request
from typing import Any
from urllib.error import HTTPError


def ask(address: str, path: str, body: dict[str, Any], tries: int = 5) -> dict[str, Any]:
    """The answer to a request. A service that is busy is asked again when it says so."""
    headers = {"Content-Type": "application/json"}
    if token := os.environ.get("MEDFLAT_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(address + path, json.dumps(body).encode(), headers)
    for left in reversed(range(tries)):
        try:
            with urllib.request.urlopen(request, timeout=90) as answer:
                return json.load(answer)
        except HTTPError as error:
            if not left or error.code not in (429, 503):
                raise SystemExit(f"{error.code}: {error.read().decode()}") from error
            time.sleep(float(error.headers.get("Retry-After", 1)))
    raise AssertionError


if __name__ == "__main__":
    address, *texts = sys.argv[1:]
    for text, result in zip(texts, ask(address, "/annotate", {"texts": texts})["results"], strict=True):
        print(text, result.get("error", ""))
        for entity in result.get("entities", ()):
            print(" ", entity["start"], entity["end"], entity["label"], entity["text"], entity["score"])
