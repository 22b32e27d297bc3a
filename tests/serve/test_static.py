import pytest

from spacy_medflat.errors import MedflatError
from spacy_medflat.serve.static import read_page

from .fakes import page_of


def test_the_files_of_the_folder_and_no_others(tmp_path):
    page = page_of(tmp_path, page_css="a{}", app_js="import {t} from './strings.js';", strings_js="export const t = 1;")
    (tmp_path / "folder").mkdir()
    (tmp_path / ".hidden").write_text("")
    assert set(page) == set(read_page(tmp_path)) == {"index.html", "page.css", "app.js", "strings.js"}
    assert page["app.js"].media_type.startswith("text/javascript") and page["app.js"].tag != page["page.css"].tag


def test_a_missing_file_is_an_error_at_the_start(tmp_path):
    with pytest.raises(MedflatError, match=r"index.html: no such file"):
        read_page(tmp_path)
    with pytest.raises(MedflatError, match=r"gone.js: no such file, but app.js needs it"):
        page_of(tmp_path, app_js="import './gone.js';")
    (tmp_path / "app.js").unlink()
    (tmp_path / "index.html").write_text('<link rel="stylesheet" href="/page/gone.css">', encoding="utf8")
    with pytest.raises(MedflatError, match=r"gone.css: no such file, but index.html needs it"):
        read_page(tmp_path)


def test_a_file_of_another_kind_is_an_error(tmp_path):
    page_of(tmp_path)
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(MedflatError, match="take this one away"):
        read_page(tmp_path)
