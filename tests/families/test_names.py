"""A name is known again in every form, and only as a whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meta.families import names
from meta.family import Form


@pytest.mark.parametrize(
    ("name", "form", "text"),
    [
        ("tik_tok", "pascal", "TikTok"),
        ("TikTok", "snake", "tik_tok"),
        ("S3BucketLogging", "kebab", "s3-bucket-logging"),
        ("AKSApiServer", "snake", "aks_api_server"),
        ("google-drive", "title", "Google Drive"),
        ("google drive", "upper", "GOOGLE_DRIVE"),
        ("GoogleDrive", "camel", "googleDrive"),
        ("google_drive", "flat", "googledrive"),
        ("GOOGLE_DRIVE", "spaced", "google drive"),
    ],
)
def test_a_name_is_put_in_a_form(name: str, form: Form, text: str) -> None:
    assert names.in_form(name, form) == text


@pytest.mark.parametrize(
    "text", ["class TikTokProvider", "tik_tok.py", "TIKTOK_ID", "a Tik Tok app", "OnTiktok()", "my_tiktok"]
)
def test_a_name_is_found_in_any_case_and_with_any_separators(text: str) -> None:
    assert len(list(names.occurrences("tiktok", text))) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [("box", "inbox"), ("box", "boxes"), ("box", "BOXES"), ("fly", "flyer"), ("auth", "auth0"), ("inbox", "in boxes")],
)
def test_a_name_is_not_found_within_another_word(name: str, text: str) -> None:
    assert not list(names.occurrences(name, text))


@given(st.text(max_size=30), st.text(max_size=60))
def test_what_is_found_has_the_letters_of_the_name(name: str, text: str) -> None:
    for start, end in names.occurrences(name, text):
        assert names.letters(text[start:end]) == names.letters(name) or not names.letters(name)
