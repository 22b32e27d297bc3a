import pytest
import spacy

from spacy_medflat.context.sections import SectionFinder
from spacy_medflat.errors import TableError

TABLE = "heading\tsection\n护理情况\tnursing_state\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_tables_in_the_encodings_of_hospitals(encoding, tmp_path):
    path = tmp_path / "mine.tsv"
    path.write_bytes(TABLE.encode(encoding))
    pipe = SectionFinder(spacy.blank("zh").vocab)
    pipe.add(path)
    assert ("护理情况", "nursing_state") in pipe.table


def test_a_table_that_is_no_text(tmp_path):
    path = tmp_path / "mine.tsv"
    path.write_bytes(TABLE.encode() + b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"mine\.tsv line 3: not UTF-8"):
        SectionFinder(spacy.blank("zh").vocab).add(path)


def test_a_folder_is_no_table(tmp_path):
    with pytest.raises(TableError, match="no such file"):
        SectionFinder(spacy.blank("zh").vocab).add(tmp_path)
