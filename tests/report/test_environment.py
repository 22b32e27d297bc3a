from spacy_medflat.report.environment import environments


def test_each_environment_once(results):
    assert environments(results) == [
        "2 threads on 2 cores, Linux x86_64; Python 3.11.0, spacy 3.8.0, torch 2.9.0",
    ]
