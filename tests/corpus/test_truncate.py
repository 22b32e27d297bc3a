from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.corpus.truncate import truncate

from .helpers import tumour


def test_nothing_to_cut_gives_the_same_record():
    for limit in (0, len(tumour().text), 100):
        record = tumour(id="a")
        assert truncate(record, limit)[0] is record and truncate(record, limit)[1] == 0


@given(st.integers(1, 20))
def test_entities_are_kept_whole_or_counted(limit):
    record, lost = truncate(tumour(id="a", meta={"ward": 3}), limit)
    assert record.text == tumour().text[:limit] and record.id == "a" and record.meta == {"ward": 3}
    assert record.entities == [e for e in tumour().entities if e.end <= limit]
    assert lost + len(record.entities) == len(tumour().entities)
