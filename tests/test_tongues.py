"""Every message is written for its reader: no Python in a shell, no flag in Python, and no remedy that loses data."""

import ast
import re
from pathlib import Path

import pytest

from tsformers.errors import DataError, DataWarning, TsformersError
from tsformers.messages import Either, Message, Option

from .conftest import wrong_tongue

PACKAGE = Path(__file__).resolve().parents[1] / "tsformers"
FILES = [path.relative_to(PACKAGE).as_posix() for path in sorted(PACKAGE.rglob("*.py"))]
REMEDIES = ("Option", "Setting", "Either")
PARTED = ("Message", "joined", "TsformersError", "DataError", "JobError", "DataWarning")
CODE = re.compile(
    r"\b(df|frame|pd|np|tsf)[.\[]|\.(fillna|astype|map|to_[a-z]+|rename|groupby|tz_localize)\(|DataFrame\("
)
KEYWORD = re.compile(r"(?<![\w.\-{'\"])[A-Za-z_]\w*=(?!=)")  # known=, horizon=12
FLAG = re.compile(r"(?<![\w-])--[a-z]")
LOSSY = re.compile(r"coerce|\.cat\.codes|\.normalize\(|dropna|drop_duplicates|\.round\(")
SHELL_ONLY = ("cli/",)  # their own messages are read in a shell alone


def name_of(call):
    return getattr(call.func, "attr", getattr(call.func, "id", "")) if isinstance(call, ast.Call) else ""


def messages(tree):
    """Calls that make a message: what is raised or warned of, and messages in parts wherever they are made."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            yield node.exc
        elif name_of(node) == "warn" or name_of(node) in PARTED:
            yield node


def plain_texts(node):
    """Text constants of a message outside of its options, settings and alternatives."""
    if isinstance(node, ast.FormattedValue) and isinstance(node.value, ast.Call | ast.Name | ast.Attribute):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node
    if name_of(node) in REMEDIES:
        return
    for child in ast.iter_child_nodes(node):
        yield from plain_texts(child)


def findings(name, *patterns):
    tree = ast.parse((PACKAGE / name).read_text(encoding="utf-8"))
    found = set()
    for call in messages(tree):
        for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
            for text in plain_texts(argument):
                found |= {f"{name}:{text.lineno}: {text.value}" for pattern in patterns if pattern.search(text.value)}
    return sorted(found)


@pytest.mark.parametrize("name", FILES)
def test_plain_text_of_messages_holds_neither_python_nor_flags(name):
    assert findings(name, *([CODE] if name.startswith(SHELL_ONLY) else [FLAG, CODE, KEYWORD])) == []


@pytest.mark.parametrize("name", [name for name in FILES if not name.startswith(SHELL_ONLY)])
def test_flags_stand_in_remedies_alone_wherever_text_is_put_together(name):
    tree = ast.parse((PACKAGE / name).read_text(encoding="utf-8"))
    allowed = {id(part) for call in ast.walk(tree) if name_of(call) in REMEDIES for part in ast.walk(call)}
    for node in ast.walk(tree):  # docstrings are no messages
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            allowed.add(id(node.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in allowed:
            assert not FLAG.search(node.value), f"{name}:{node.lineno}: {node.value}"


@pytest.mark.parametrize("name", FILES)
def test_no_remedy_loses_data(name):
    tree = ast.parse((PACKAGE / name).read_text(encoding="utf-8"))
    remedies = [node for node in ast.walk(tree) if name_of(node) in REMEDIES]
    for call in (*messages(tree), *remedies):
        for node in ast.walk(call):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not LOSSY.search(node.value), f"{name}:{node.lineno}: {node.value}"


def bare_ids(tree):
    """Lines that show an id as numpy prints it, np.int64(6) for 6."""
    for node in ast.walk(tree):
        root = node.value if isinstance(node, ast.FormattedValue) and node.conversion == ord("r") else None
        depth = 0
        while isinstance(root, ast.Subscript):
            root, depth = root.value, depth + 1
        if depth and getattr(root, "attr", getattr(root, "id", "")) == "ids":
            yield node.lineno


@pytest.mark.parametrize("name", FILES)
def test_ids_of_numbers_are_shown_as_python_writes_them(name):
    assert [*bare_ids(ast.parse((PACKAGE / name).read_text(encoding="utf-8")))] == []


def test_the_search_finds_what_it_is_for():
    bad = [
        'raise ValueError("pass known= for it")',
        'raise DataError(f"column {c!r}: write df[{c!r}].map(str)")',
        'warnings.warn("set --horizon 3", UserWarning)',
        'raise DataError("give ", Option("known"), " or tsf.from_wide(x)")',
    ]
    good = [
        'raise DataError("pass ", Option("known"), Either("tsf.from_wide(df)", "--wide"))',
        'raise ValueError(f"{first}= is odd; 1 == 1 and x = 3 are not asked")',
    ]
    assert [*bare_ids(ast.parse('f"series {panel.ids[3]!r}"'))]
    assert not [*bare_ids(ast.parse('f"series {plain(ids[3])!r}"'))]
    for text, wanted in [*((text, True) for text in bad), *((text, False) for text in good)]:
        texts = [each.value for call in messages(ast.parse(text)) for arg in call.args for each in plain_texts(arg)]
        assert any(pattern.search(each) for pattern in (CODE, KEYWORD, FLAG) for each in texts) == wanted, text


@pytest.mark.parametrize(
    ("parts", "fault"),
    [
        (("write df['y'] in it",), "shell"),
        (("pass --horizon 3",), "Python"),
        (("pass ", Option("horizon", 3), Either(" or tsf.from_wide(df)", " or --wide")), None),
    ],
)
def test_what_tests_raise_is_rendered_for_both_readers(parts, fault):
    found = wrong_tongue(Message(*parts), "data/panel_of_mine.py")
    assert (found is None) == (fault is None)
    assert fault is None or fault in found


def test_errors_and_warnings_that_tests_raise_are_looked_at(raised_messages):
    before = len(raised_messages)
    DataError("a")
    DataWarning("b")
    TsformersError("c")
    assert len(raised_messages) == before + 3
