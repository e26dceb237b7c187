"""Values as they are written on the command line."""

from tsformers.cli.parsing import assignments


def test_settings_are_read_as_toml_and_else_as_text():
    assert assignments(["a=[1, 2]", 'b="x"', "c=x=y", "d=0.5", "e=False"]) == {
        "a": [1, 2],
        "b": "x",
        "c": "x=y",
        "d": 0.5,
        "e": False,
    }
