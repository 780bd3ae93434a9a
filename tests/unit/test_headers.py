"""Headers with parameters: as clients write them, and as attackers do."""

import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from files_api.api import headers
from files_api.service.errors import MalformedBody


@pytest.mark.parametrize(
    ("header", "value", "parameters"),
    [
        ("form-data", "form-data", {}),
        ("Form-Data; Name=a", "form-data", {"name": "a"}),
        (
            'form-data; name="a"; filename="b;c=d.txt"',
            "form-data",
            {"name": "a", "filename": "b;c=d.txt"},
        ),
        ('form-data ;name="a" ; filename = "b"', "form-data", {"name": "a", "filename": "b"}),
        (r'form-data; filename="a\"b"; name="c"', "form-data", {"filename": 'a"b', "name": "c"}),
        (r'form-data; filename="a\"; name="c"', "form-data", {"filename": "a\\", "name": "c"}),
        (r'form-data; filename="C:\a\b.txt"', "form-data", {"filename": r"C:\a\b.txt"}),
        ('form-data; name="a%22b"', "form-data", {"name": 'a"b'}),
        ('form-data; name=""', "form-data", {"name": ""}),
        ("form-data; name=a; filename=b; filename=c", "form-data", {"name": "a", "filename": "b"}),
        (
            'form-data; name="a"; filename="b"c.txt"',
            "form-data",
            {"name": "a", "filename": 'b"c.txt'},
        ),
        ('form-data; name="a"; filename="b', "form-data", {"name": "a"}),
        ('form-data; name="a"; x; "y"=z; =b', "form-data", {"name": "a"}),
        ("multipart/form-data; boundary=b; charset", "multipart/form-data", {"boundary": "b"}),
        ("form-data;; name=a;", "form-data", {"name": "a"}),
    ],
)
def test_parameters_are_read_as_clients_write_them(
    header: str, value: str, parameters: dict[str, str]
) -> None:
    found, raw = headers.parse(header)

    assert (found, {name: headers.unquoted(text) for name, text in raw.items()}) == (
        value,
        parameters,
    )


def test_two_names_are_refused() -> None:
    with pytest.raises(MalformedBody, match="A field has two names"):
        headers.parse("form-data; name=a; name=b")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.txt",
        "utf8''a",
        "UTF-8'a",
        "UTF-8''%ff",
        "no-such-charset''a",
        "utf-7''%2B2AA-",
        "hex''41",
    ],
)
def test_undecodable_extended_text_counts_as_absent(text: str) -> None:
    assert headers.extended(text) is None


@pytest.mark.parametrize(
    ("text", "decoded"),
    [("UTF-8''%e2%82%ac%20a", "€ a"), ("utf-8'en'%E2%82%AC", "€"), ("iso-8859-1''%a3", "£")],
)
def test_extended_text_is_decoded(text: str, decoded: str) -> None:
    assert headers.extended(text) == decoded


# What made the former expressions go back again and again.
HOSTILE: dict[str, Callable[[int], str]] = {
    "escaped quotes without an end": lambda n: 'a; b="' + '\\"' * n,
    "many unfinished strings": lambda n: "a" + ';b="\\"' * n,
    "many strings that end in a backslash": lambda n: "a" + '; b="c\\"' * n,
    "semicolons": lambda n: "a" + ";" * n,
    "white space": lambda n: "a; b" + " " * n + "=" + " " * n + "c" + "\t" * n + "d",
    "quotes": lambda n: "a; b=" + '"' * n,
    "quotes and semicolons": lambda n: 'a; b="' + '"x;' * n,
    "equal signs": lambda n: "a; b" + "=" * n,
    "parameters": lambda n: "a" + "".join(f";b{each}=c" for each in range(n)),
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_time_is_linear_in_the_length(make: Callable[[int], str]) -> None:
    def seconds(header: str) -> float:
        taken = []
        for _ in range(3):
            start = time.thread_time()
            with suppress(MalformedBody):
                headers.parse(header)
            taken.append(time.thread_time() - start)
        return min(taken)

    short, long = make(2_000), make(32_000)
    # Sixteen times the length takes sixteen times as long; if quadratic, 256 times.
    assert seconds(long) < 64 * max(seconds(short), 1e-4)
