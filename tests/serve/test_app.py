"""The routes, with workers that answer at once."""

import asyncio
import json

import pytest

from spacy_medflat import __version__
from spacy_medflat.serve.messages import TextJob
from spacy_medflat.serve.settings import Limits

from .fakes import DESCRIPTION, FakeWorkers, ask, error_of, page_of, talk

VERSIONS = {"spacy_medflat": __version__, "pipeline": "zh_test 1.0", "digest": "0123456789ab", "lexicon": 0}
RECORD = {"id": "n1", "text": "咳嗽", "entities": [{"start": 0, "end": 2, "label": "sym"}]}


def test_the_pipeline_says_what_it_is_and_what_can_be_done():
    about = ask("GET", "/pipeline").json()
    assert about["labels"] == [
        {"label": "sym", "name": "symptom 临床表现", "threshold": 0.43, "colour": "#b45309"},
        {"label": "dru", "name": "drug 药物", "threshold": 0.5, "colour": "#6a1b9a"},
    ]
    assert about["lexicon"] == {"editable": True, "words": 4, "types": ["sym", "dru", "none"]}
    assert about["limits"] == {
        "text_characters": 100_000,
        "texts": 1_000,
        "request_characters": 1_000_000,
        "body_bytes": 16_000_000,
    }
    assert about["corrections"] == {"stored": False} and about["versions"] == VERSIONS and about["floor"] == 0.05
    assert (about["nesting"], about["licence"], about["facts"]) == ("all", "MIT", ["assertion"])
    assert not ask("GET", "/pipeline", read_only=True).json()["lexicon"]["editable"]


def test_one_text_and_many():
    async def conversation(client, service):
        one = (await client.post("/annotate", json={"text": "患者咳嗽"})).json()
        texts = ["无殊", {"id": "n2", "text": "咳嗽 boom"}, {"id": "n3", "text": "咳嗽"}]
        many = (await client.post("/annotate", json={"texts": texts})).json()
        none = (await client.post("/annotate", json={"texts": []})).json()
        return one, many, none

    one, many, none = talk(conversation)
    (result,) = one["results"]
    assert result["id"] is None and result["entities"][0]["start"] == 2 and one["versions"] == VERSIONS
    assert [row["id"] for row in many["results"]] == [None, "n2", "n3"] and none["results"] == []
    # A text that fails has an error in the place of its result.
    assert many["results"][1]["error"]["code"] == "failed" and many["results"][2]["entities"]


def test_options_reach_the_workers():
    async def conversation(client, service):
        options = {"text": "a", "floor": 0, "words": True, "labels": ["sym"]}
        assert (await client.post("/annotate", json=options)).status_code == 200
        return service.workers.batches

    assert talk(conversation) == [[TextJob("a", 0.0, frozenset(["sym"]), True)]]


def test_requests_share_batches():
    async def conversation(client, service):
        first = asyncio.create_task(client.post("/annotate", json={"text": "0"}))
        await asyncio.sleep(0.05)
        others = [asyncio.create_task(client.post("/annotate", json={"text": str(i)})) for i in range(1, 17)]
        await asyncio.sleep(0.2)
        service.workers.hold.set()
        for task in (first, *others):
            assert (await task).status_code == 200
        return [len(batch) for batch in service.workers.batches]

    assert talk(conversation, workers=FakeWorkers(asyncio.Event())) == [1, 16]


def test_words_are_searched_added_and_removed(tmp_path):
    async def conversation(client, service):
        added = await client.post("/lexicon", json={"words": [{"word": "经皮肾镜", "type": "dru"}, {"word": "甲"}]})
        assert added.json()["added"] == 2 and added.json()["versions"]["lexicon"] == 1
        # The workers have them before this is answered.
        assert service.workers.words[-1] == {"经皮肾镜": "dru", "甲": ""}
        found = (await client.get("/lexicon", params={"query": "肾", "limit": 5})).json()
        assert found["words"] == [{"word": "经皮肾镜", "type": "dru", "user": True}] and found["total"] == 1
        gone = await client.request("DELETE", "/lexicon", json={"words": ["经皮肾镜", "咳嗽"]})
        assert gone.json()["removed"] == 1 and service.workers.words[-1] == {"甲": ""}

    talk(conversation, words=tmp_path / "words.tsv")
    assert "甲\t-" in (tmp_path / "words.tsv").read_text("utf8")


def test_workers_have_the_words_of_the_file_before_the_first_request(tmp_path):
    (tmp_path / "words.tsv").write_text("乙\tsym\n", encoding="utf8")

    async def conversation(client, service):
        assert service.workers.words == [{"乙": "sym"}]

    talk(conversation, words=tmp_path / "words.tsv")


def test_corrections_are_kept_and_exported(tmp_path):
    path = tmp_path / "corrections.jsonl"

    async def conversation(client, service):
        for _ in range(2):
            stored = await client.post("/corrections", json={"records": [RECORD]})
            assert stored.json() == {"stored": 1, "versions": VERSIONS}
        assert (await client.get("/pipeline")).json()["corrections"] == {"stored": True}
        return await client.post("/export?format=doccano", json={"records": [RECORD]})

    exported = talk(conversation, corrections=path)
    assert [json.loads(line) for line in path.read_text("utf8").splitlines()] == [RECORD] * 2
    assert exported.headers["content-disposition"] == 'attachment; filename="corrections.jsonl"'
    assert exported.headers["x-medflat-left-out"] == "0" and json.loads(exported.content)["label"] == [[0, 2, "sym"]]


@pytest.mark.parametrize("settings", [{}, {"read_only": True}])
def test_what_cannot_be_changed_says_so(settings, tmp_path):
    if settings:
        settings = {**settings, "corrections": tmp_path / "c.jsonl", "words": tmp_path / "w.tsv"}
        assert error_of(ask("POST", "/lexicon", json={"words": [{"word": "甲"}]}, **settings)) == (409, "read_only")
        assert error_of(ask("DELETE", "/lexicon", json={"words": ["甲"]}, **settings)) == (409, "read_only")
    assert error_of(ask("POST", "/corrections", json={"records": [RECORD]}, **settings)) == (409, "read_only")
    assert list(tmp_path.iterdir()) == []


def test_a_pipeline_without_a_lattice():
    plain = DESCRIPTION._replace(has_lattice=False, words=[])
    assert error_of(ask("POST", "/lexicon", json={"words": []}, description=plain)) == (409, "read_only")


def test_health_and_metrics():
    async def conversation(client, service):
        health = await client.get("/health")
        assert health.status_code == 200
        assert health.json()["workers"] == {"alive": 1, "wanted": 1} and health.json()["waiting"] == 0
        await client.post("/annotate", json={"texts": ["咳嗽", "boom"]})
        await client.get("/nowhere/of/a/patient")
        service.workers.alive = 0
        sick = await client.get("/health")
        assert (sick.status_code, sick.json()["status"]) == (503, "no_worker")
        return (await client.get("/metrics")).text

    text = talk(conversation)
    for line in (
        'medflat_requests_total{method="POST",route="/annotate",status="200"} 1.0',
        'medflat_requests_total{method="GET",route="other",status="404"} 1.0',
        'medflat_requests_total{method="GET",route="/health",status="503"} 1.0',
        "medflat_texts_total 2.0",
        "medflat_failed_texts_total 1.0",
        "medflat_characters_total 6.0",
        'medflat_batch_texts_bucket{le="2.0"} 1.0',
        "medflat_waiting_texts 0.0",
        "medflat_workers_alive 0.0",
        "medflat_worker_restarts_total 0.0",
    ):
        assert line in text.splitlines(), line
    assert "patient" not in text and "咳嗽" not in text


def test_openapi_has_forms_and_examples():
    spec = ask("GET", "/openapi.json").json()
    routes = "/annotate /corrections /export /health /lexicon /metrics /pipeline"
    assert sorted(spec["paths"]) == routes.split()
    forms = spec["components"]["schemas"]
    assert forms["AnnotateRequest"]["examples"][1]["texts"][1]["id"] == "n1"
    texts = forms["AnnotateRequest"]["properties"]["texts"]["anyOf"][0]["items"]["anyOf"]
    assert [part.get("type") or part["$ref"] for part in texts] == ["string", "#/components/schemas/TextItem"]
    answers = spec["paths"]["/annotate"]["post"]["responses"]
    assert answers["429"]["content"]["application/json"]["schema"]["$ref"].endswith("ErrorAnswer")
    # Pages of documentation would take their scripts from the network.
    assert ask("GET", "/docs").status_code == ask("GET", "/redoc").status_code == 404


def test_the_page_is_served_as_it_is(tmp_path):
    page = page_of(tmp_path, page_css="a{}", app_js="export {};")

    async def conversation(client, service):
        index, style, code = [await client.get(path) for path in ("/", "/page/page.css", "/page/app.js")]
        assert index.text.startswith("<!doctype html>") and style.headers["content-type"].startswith("text/css")
        assert code.headers["content-type"].startswith("text/javascript")
        again = await client.get("/page/app.js", headers={"if-none-match": code.headers["etag"]})
        assert again.status_code == 304 and code.headers["cache-control"] == "no-cache"
        for answer in (index, style, await client.get("/pipeline")):
            assert "script-src 'self'" in answer.headers["content-security-policy"]
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"

    talk(conversation, page=page)


def test_a_worker_that_does_not_answer_in_time():
    async def conversation(client, service):
        late = await client.post("/annotate", json={"text": "a"})
        assert error_of(late) == (504, "timeout") and service.batcher.waiting_texts == 0
        service.workers.alive = 0
        assert error_of(await client.post("/annotate", json={"text": "a"})) == (503, "no_worker")
        service.workers.hopeless = True
        assert error_of(await client.post("/annotate", json={"text": "a"})) == (503, "no_worker")

    talk(conversation, workers=FakeWorkers(asyncio.Event()), limits=Limits(seconds=0.1))


def test_a_defect_is_an_answer_and_its_message_is_not_logged(caplog):
    async def conversation(client, service):
        async def defect(jobs):
            raise RuntimeError(f"secret {jobs[0].text}")

        service.batcher._run = defect
        return await client.post("/annotate", json={"text": "患者姓名"})

    assert error_of(talk(conversation)) == (500, "defect")
    assert "a defect of the service: RuntimeError" in caplog.text and "batching.py" in caplog.text
    assert "患者姓名" not in caplog.text


def test_the_log_has_counts_and_no_text(caplog):
    caplog.set_level("INFO")
    ask("POST", "/annotate", json={"texts": ["患者姓名", "咳嗽"]})
    ask("GET", "/lexicon?query=患者姓名")
    ask("GET", "/page/患者姓名")
    ours = [record.getMessage() for record in caplog.records if record.name == "spacy_medflat.serve"]
    assert ours[0].startswith("POST /annotate 200 ") and ours[0].endswith("ms, 2 texts, 6 characters")
    assert "患者" not in "".join(ours)
