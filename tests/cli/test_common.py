import pytest
import typer

from spacy_medflat.cli.common import friendly_errors
from spacy_medflat.errors import MedflatError


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MedflatError("a.json record 3: [red] 肺\nis broken"), "Error: a.json record 3: [red] 肺 is broken\n"),
        (
            FileNotFoundError(2, "No such file or directory", "a.json"),
            "Error: a.json: No such file or directory\n",
        ),
        (OSError("disk on fire"), "Error: disk on fire\n"),
        (UnicodeEncodeError("utf-8", "\ud83d", 0, 1, "surrogates not allowed"), "surrogates not allowed\n"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_one(error, message, capsys):
    with pytest.raises(typer.Exit) as caught, friendly_errors():
        raise error
    out, err = capsys.readouterr()
    assert caught.value.exit_code == 1
    assert out == ""
    assert err.endswith(message)
    assert err.count("\n") == 1


def test_as_a_decorator():
    @friendly_errors()
    def command():
        raise MedflatError("x")

    with pytest.raises(typer.Exit):
        command()


def test_errors_of_our_own_pass_through():
    with pytest.raises(ZeroDivisionError), friendly_errors():
        raise ZeroDivisionError


def test_a_message_is_never_wrapped(capsys):
    with pytest.raises(typer.Exit), friendly_errors():
        raise MedflatError("肺 " * 200)
    assert capsys.readouterr().err.count("\n") == 1


def test_an_interruption_says_how_to_go_on(capsys):
    with pytest.raises(typer.Exit) as caught, friendly_errors("Do this."):
        raise KeyboardInterrupt
    assert caught.value.exit_code == 130 and capsys.readouterr().err == "Interrupted. Do this.\n"
