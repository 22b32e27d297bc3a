import gc

import spacy

from spacy_medflat.span_pipe import KeptSpanGroup, keep_doc_alive


def test_the_group_is_replaced_by_one_that_holds_its_doc():
    doc = spacy.blank("zh")("右肺上叶")
    doc.spans["x"] = [doc[0:2]]
    doc.spans["x"].attrs["scores"] = [0.5]
    keep_doc_alive(doc, "x")
    keep_doc_alive(doc, "absent")
    group = doc.spans["x"]
    del doc
    gc.collect()
    assert isinstance(group, KeptSpanGroup) and group.name == "x"
    assert [span.text for span in group] == ["右肺"] and group.attrs == {"scores": [0.5]}
