"""A double of the service for tests of the page: its answers are those of the contract, its pipeline is a few words."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import spacy_medflat
from spacy_medflat.visual.labels import colours, full_name

PAGE = Path(spacy_medflat.__file__).parent / "serve" / "page"
LABELS = ("bod", "dis", "dru", "ite", "pro", "sym")
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
FLOOR, THRESHOLD = 0.05, 0.5
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}

# Words that the double finds wherever they stand: label and score, and facts.
ABSENT = {"assertion": "absent", "experiencer": "patient", "temporality": "current"}
VALUE = {
    "form": "number", "numbers": [92.0], "unit": "g/L", "ucum": "g/L", "direction": "low", "comparator": None,
    "parts": [
        {"part": "number", "start": 0, "end": 2, "text": "92"},
        {"part": "unit", "start": 2, "end": 5, "text": "g/L"},
    ],
}  # fmt: skip
CODE = {"code": "C34.1", "name": "肺上叶恶性肿瘤", "score": 0.9, "how": "fuzzy"}
FOUND: dict[str, list[tuple[str, float, dict]]] = {
    "右肺上叶": [("bod", 0.93, {})],
    "右肺": [("bod", 0.31, {})],
    "右肺上叶腺癌": [("dis", 0.97, {"codes": [CODE]})],
    "双下肢水肿": [("sym", 0.88, {"section": "imaging_findings"})],
    "下肢": [("bod", 0.61, {})],
    "咯血": [("sym", 0.91, ABSENT | {"cues": [{"start": 0, "end": 1, "text": "无", "value": "absent"}]})],
    "血红蛋白": [("ite", 0.95, {"value": VALUE})],
    "发热待查": [("dis", 0.71, {})],
    "待查明日": [("sym", 0.66, {})],
}


class Double(ThreadingHTTPServer):
    """The service. `token`, `busy` (how often 429 comes first), `dead` are what a test may set."""

    daemon_threads = True

    def __init__(self, **settings):
        super().__init__(("127.0.0.1", 0), Handler)
        self.token, self.busy, self.editable, self.stored, self.fail = "", 0, True, True, ""
        self.words: dict[str, str] = {}
        self.corrections: list[dict] = []
        self.requests: list[tuple[str, str]] = []
        self.__dict__.update(settings)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/"

    def find(self, text):
        known = {**FOUND, **{word: [(kind, 0.99, {})] for word, kind in self.words.items() if kind in LABELS}}
        for word, found in known.items():
            for match in re.finditer(re.escape(word), text):
                for label, score, facts in found:
                    if self.words.get(word) != "none":
                        yield {"start": match.start(), "end": match.end(), "label": label, "text": word, "score": score,
                               "above": score >= THRESHOLD, **facts}  # fmt: skip

    def versions(self):
        own = {"spacy_medflat": "1", "pipeline": "double 1", "digest": "0123456789ab", "lexicon": str(len(self.words))}
        return {"versions": own}


class Handler(BaseHTTPRequestHandler):
    server: Double
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, kind="application/json", **headers):
        content = body if isinstance(body, bytes) else json.dumps(body | self.server.versions()).encode()
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": len(content), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(content)

    def refuse(self, status, code, message="", **headers):
        self.answer(status, {"error": {"code": code, "message": message}}, **headers)

    def do_GET(self):
        self.handle_all()

    do_POST = do_DELETE = do_GET  # noqa: N815

    def handle_all(self):
        url = urlsplit(self.path)
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")
        name = url.path.removeprefix("/page/").removeprefix("/") or "index.html"
        if (path := PAGE / name).is_file():
            self.answer(200, path.read_bytes(), KINDS[path.suffix], Content_Security_Policy=CSP)
            return
        self.server.requests.append((self.command, url.path))
        if self.server.token and self.headers.get("Authorization") != f"Bearer {self.server.token}":
            self.refuse(401, "wrong_token", "give a token")
        elif self.server.busy and url.path == "/annotate":
            self.server.busy -= 1
            self.refuse(429, "busy", "too many texts wait", Retry_After=1)
        else:
            getattr(self, f"{self.command}_{url.path[1:]}".lower())(body, parse_qs(url.query, keep_blank_values=True))

    def get_pipeline(self, *_):
        palette = colours(LABELS)
        labels = [
            {"label": label, "name": full_name(label), "threshold": THRESHOLD, "colour": palette[label]}
            for label in LABELS
        ]
        self.answer(200, {
            "name": "double", "version": "1", "language": "zh", "labels": labels, "floor": FLOOR, "nesting": "all",
            "limits": {"text_characters": 100_000, "texts": 1000},
            "export": ["jsonl", "doccano", "labelstudio", "brat"],
            "lexicon": {"editable": self.server.editable, "words": 3, "types": list(LABELS)}, "licence": "MIT",
            "corrections": {"stored": self.server.stored},
        })  # fmt: skip

    def post_annotate(self, body, _):
        results = []
        for given in body["texts"]:
            text = given["text"]
            if self.server.fail and self.server.fail in text:
                results.append({"id": given["id"], "error": {"code": "failed", "message": "ValueError"}})
                continue
            words = [
                {"start": m.start(), "end": m.end(), "type": kind, "source": "lexicon"}
                for word, kind in {"右肺": "bod", "腺癌": "dis", "肺上叶": "bod", **self.server.words}.items()
                for m in re.finditer(re.escape(word), text)
            ]
            result = {"id": given["id"], "text_length": len(text), "entities": list(self.server.find(text))}
            results.append(result | {"milliseconds": 4.1} | ({"words": words} if body.get("words") else {}))
        self.answer(200, {"results": results})

    def get_lexicon(self, _, query):
        found = [{"word": w, "type": t, "user": True} for w, t in self.server.words.items() if query["query"][0] in w]
        self.answer(200, {"words": found, "total": len(found)})

    def post_lexicon(self, body, _):
        self.server.words.update({word["word"]: word["type"] for word in body["words"]})
        self.answer(200, {"added": len(body["words"])})

    def delete_lexicon(self, body, _):
        for word in body["words"]:
            self.server.words.pop(word, None)
        self.answer(200, {"removed": len(body["words"])})

    def post_corrections(self, body, _):
        self.server.corrections += body["records"]
        self.answer(200, {"stored": len(body["records"])})

    def post_export(self, body, query):
        lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in body["records"])
        name = f"corrections.{'zip' if query['format'] == ['brat'] else 'jsonl'}"
        header = f'attachment; filename="{name}"'
        self.answer(200, lines.encode(), "application/octet-stream", Content_Disposition=header)


@contextmanager
def running(**settings) -> Iterator[Double]:
    """A double that answers, on a port of its own."""
    with Double(**settings) as double:
        thread = threading.Thread(target=double.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield double
        double.shutdown()
        thread.join()
