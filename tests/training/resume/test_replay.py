import spacy
from spacy.training import Example

from spacy_medflat.training.resume.replay import annotated_crc, config_differences


def test_the_checksum_of_texts_sees_every_annotation():
    def crc(text="右肺上叶腺癌", spans=((0, 4, "bod"),), ents=(), cats=None):
        doc = spacy.blank("zh").make_doc(text)
        doc.spans["sc"] = [doc.char_span(*span) for span in spans]
        doc.ents = [doc.char_span(*ent) for ent in ents]
        doc.cats = cats or {}
        return annotated_crc([Example(doc.copy(), doc)])

    found = [
        crc(),
        crc(text="右肺上叶肺癌"),
        crc(spans=((0, 3, "bod"),)),
        crc(spans=((0, 4, "dis"),)),
        crc(spans=()),
        crc(ents=((0, 4, "bod"),)),
        crc(cats={"x": 1.0}),
    ]
    assert len(set(found)) == len(found) and crc() == found[0]


def test_config_differences():
    old = "[a]\nx = 1\ny = {}\n[a.b]\nz = null\n[training]\n[training.logger]\nv = 1\n"
    assert config_differences(old, old) == []
    new = old.replace("x = 1", "x = 2").replace("z = null", "w = 0").replace("v = 1", "v = 2")
    assert config_differences(old, new) == [
        "a.b.w: '(not set)', now 0",
        "a.b.z: None, now '(not set)'",
        "a.x: 1, now 2",
    ]
