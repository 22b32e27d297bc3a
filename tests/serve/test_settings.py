import pytest

from spacy_medflat.errors import MedflatError
from spacy_medflat.serve.settings import Limits, ServeSettings, is_loopback, read_token

TOKEN = "correct-horse-battery"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost"])
def test_this_machine_alone_needs_no_token(host):
    assert is_loopback(host)
    ServeSettings("zh_test", host=host).check()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "ward.example"])
def test_others_need_a_token_that_cannot_be_guessed(host):
    with pytest.raises(MedflatError, match="needs a token: set the variable MEDFLAT_TOKEN or name a --token-file"):
        ServeSettings("zh_test", host=host).check()
    with pytest.raises(MedflatError, match="of 6 characters is too short"):
        ServeSettings("zh_test", host=host, token="secret").check()
    ServeSettings("zh_test", host=host, token=TOKEN).check()


def test_the_token_is_not_shown():
    assert TOKEN not in repr(ServeSettings("zh_test", token=TOKEN))


def test_a_token_comes_from_a_file_or_the_environment(tmp_path, monkeypatch):
    monkeypatch.delenv("MEDFLAT_TOKEN", raising=False)
    assert read_token(None) is None
    monkeypatch.setenv("MEDFLAT_TOKEN", "from-the-environment")
    assert read_token(None) == "from-the-environment"
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    assert read_token(file) == TOKEN


@pytest.mark.parametrize("content", [b"", b"two words", "\u4e2d\u6587".encode(), b"\xff\xfe"])
def test_what_is_no_token_is_an_error(content, tmp_path):
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(MedflatError, match="token"):
        read_token(file)
    with pytest.raises(MedflatError, match="no token can be read"):
        read_token(tmp_path / "none")


def test_names_are_those_of_headers():
    names = ServeSettings("zh_test", host="::1", allow_hosts=("Ward.Example", "fe80::1")).host_names
    assert names == {"localhost", "127.0.0.1", "[::1]", "ward.example", "[fe80::1]"}
    with pytest.raises(MedflatError, match="a name without a port"):
        _ = ServeSettings("zh_test", allow_hosts=("ward.example:80",)).host_names


def test_limits_fit_together():
    with pytest.raises(MedflatError, match="raise --max-waiting-characters"):
        Limits(request_characters=10, waiting_characters=9)
